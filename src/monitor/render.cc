#include "monitor/render.h"

#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "monitor/metrics.h"

namespace standpipe {

namespace {

/// As Gson escapes in its default, HTML-safe form.
void append_json_text(std::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\t': out += "\\t"; break;
      case '\b': out += "\\b"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\f': out += "\\f"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20 || std::string_view("<>&='").find(c) != std::string_view::npos) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

std::string value_text(std::string_view attribute, double number) {
  const bool whole = std::abs(number) < 9e15 && number == std::floor(number);
  if (whole && attribute != counter_names::kChannelFill) return std::to_string(static_cast<std::int64_t>(number));
  return java_double(number);
}

void append_member(std::string_view name, std::string_view value, std::string& out) {
  if (out.back() != '{') out.push_back(',');
  append_json_text(name, out);
  out.push_back(':');
  append_json_text(value, out);
}

std::string upper_kind(const ComponentReading& reading) { return reading.key().substr(0, reading.key().find('.')); }

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string java_double(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (number == 0) return std::signbit(number) ? "-0.0" : "0.0";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::abs(number), std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t e = text.find('e');
  int exponent = 0;
  const char* digits_of_exponent = text.data() + e + (text[e + 1] == '+' ? 2 : 1);
  std::from_chars(digits_of_exponent, end, exponent);
  std::string digits(1, text[0]);
  if (e > 2) digits += text.substr(2, e - 2);
  const std::string sign = number < 0 ? "-" : "";
  const auto after = [&digits](std::size_t at) { return at < digits.size() ? digits.substr(at) : std::string("0"); };
  if (exponent < -3 || exponent >= 7) return fmt::format("{}{}.{}E{}", sign, digits[0], after(1), exponent);
  if (exponent < 0)
    return fmt::format("{}0.{}{}", sign, std::string(static_cast<std::size_t>(-exponent - 1), '0'), digits);
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  return fmt::format("{}{}.{}", sign, digits.substr(0, whole), after(whole));
}

std::string render_flume_json(const std::vector<ComponentReading>& readings) {
  std::string out = "{";
  for (const ComponentReading& reading : readings) {
    if (out.size() > 1) out.push_back(',');
    append_json_text(reading.key(), out);
    out += ":{";
    for (const auto& [attribute, number] : reading.values) append_member(attribute, value_text(attribute, number), out);
    append_member("Type", upper_kind(reading), out);
    out.push_back('}');
  }
  out.push_back('}');
  return out;
}

std::vector<HealthJudge::Reason> HealthJudge::judge(const std::vector<ComponentReading>& readings,
                                                    std::int64_t now_ms) {
  std::vector<Reason> reasons;
  std::set<std::string> full;
  for (const ComponentReading& reading : readings) {
    const std::string key = reading.key();
    if (reading.state == LifeState::abandoned) {
      reasons.push_back({key, "abandoned", "it did not stop in time"});
    } else if (reading.error == Code::poison) {
      reasons.push_back({key, "poison", reading.message});
    } else if (reading.state == LifeState::error || reading.error != Code::ok) {
      reasons.push_back({key, "error", reading.message});
    } else if (reading.state == LifeState::starting && now_ms - reading.since_ms > kStartTooLongMs) {
      reasons.push_back({key, "starting", fmt::format("for {} s", (now_ms - reading.since_ms) / 1000)});
    }
    const auto fill = reading.values.find(std::string(counter_names::kChannelFill));
    const auto capacity = reading.values.find(std::string(counter_names::kChannelCapacity));
    if (fill == reading.values.end() || capacity == reading.values.end()) continue;
    if (capacity->second <= 0 || fill->second < 100) continue;
    full.insert(key);
    const std::int64_t since = full_since_.try_emplace(key, now_ms).first->second;
    if (now_ms - since > kFullTooLongMs) {
      reasons.push_back({key, "full", fmt::format("seen full at every look for {} s", (now_ms - since) / 1000)});
    }
  }
  std::erase_if(full_since_, [&full](const auto& entry) { return !full.contains(entry.first); });
  return reasons;
}

std::string render_health(const std::vector<HealthJudge::Reason>& reasons) {
  std::string out = reasons.empty() ? "{\"status\":\"ok\",\"reasons\":[" : "{\"status\":\"failing\",\"reasons\":[";
  for (const HealthJudge::Reason& reason : reasons) {
    if (out.back() != '[') out.push_back(',');
    out.push_back('{');
    append_member("component", reason.component, out);
    append_member("reason", reason.kind, out);
    append_member("message", reason.message, out);
    out.push_back('}');
  }
  return out + "]}";
}

std::string render_html(const std::vector<ComponentReading>& readings) {
  std::string out =
      "<!DOCTYPE html><html><head><title>Standpipe</title></head><body><h1>Standpipe</h1>"
      "<p><a href=\"./metrics\">metrics</a> <a href=\"./metrics/prometheus\">prometheus</a> "
      "<a href=\"./healthz\">health</a></p><table>";
  for (const ComponentReading& reading : readings) {
    const std::string_view state = to_string(reading.state);
    out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td></tr>", html_text(reading.key()), state,
                       html_text(reading.message));
  }
  return out + "</table></body></html>\n";
}

}  // namespace standpipe
