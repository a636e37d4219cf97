#include <date/tz.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>
#include <utility>

#include "base/text.h"
#include "codec/java_date.h"

namespace standpipe {

namespace {

// Ids that the tz database lacks or means otherwise; Java reads them as these.
constexpr std::array<std::pair<std::string_view, std::string_view>, 25> kShortIds = {{
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
}};

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max() / 4;

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Java's custom ids behind "GMT": +8, -08, +0800, +08:00. Seconds, when `text` is one.
std::optional<std::int32_t> parse_custom_offset(std::string_view text) {
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  std::string_view hours = text;
  std::string_view minutes = "0";
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    hours = text.substr(0, colon);
    minutes = text.substr(colon + 1);
    if (minutes.size() != 2) return std::nullopt;
  } else if (text.size() > 2) {
    hours = text.substr(0, text.size() - 2);
    minutes = text.substr(text.size() - 2);
  }
  if (hours.size() > 2 || !digits(hours) || !digits(minutes)) return std::nullopt;
  const auto h = static_cast<std::int32_t>(*parse_integer(hours));
  const auto m = static_cast<std::int32_t>(*parse_integer(minutes));
  if (h > 23 || m > 59) return std::nullopt;
  return sign * (h * 3600 + m * 60);
}

std::string fixed_id(std::int32_t offset) {
  std::string id = "GMT";
  if (offset != 0) append_offset(id, offset, true);
  return id;
}

const date::time_zone* locate(std::string_view id) {
  try {
    return date::locate_zone(std::string(id));
  } catch (const std::exception&) {  // unknown, or no tz database on this machine
    return nullptr;
  }
}

TimeZone::Period period_of(const date::time_zone& zone, std::int64_t epoch_seconds) {
  const auto info = zone.get_info(date::sys_seconds(std::chrono::seconds(epoch_seconds)));
  return {std::max<std::int64_t>(info.begin.time_since_epoch().count(), -kForever),
          std::min<std::int64_t>(info.end.time_since_epoch().count(), kForever),
          static_cast<std::int32_t>(info.offset.count())};
}

}  // namespace

Result<TimeZone> TimeZone::find(std::string_view java_id) {
  TimeZone result;
  result.id_ = java_id;
  if (java_id == "UTC" || java_id == "GMT" || java_id == "Z" || java_id == "UCT" || java_id == "Zulu") return result;
  // Before the database: it knows EST, MST and HST as places since 2024, Java as plain offsets.
  if (java_id == "EST") return find("GMT-5");
  if (java_id == "MST") return find("GMT-7");
  if (java_id == "HST") return find("GMT-10");
  if (java_id.starts_with("GMT") || java_id.starts_with("UTC")) {
    if (const auto offset = parse_custom_offset(java_id.substr(3))) {
      result.fixed_offset_ = *offset;
      result.id_ = fixed_id(*offset);
      return result;
    }
  }
  if (const auto offset = parse_custom_offset(java_id)) {
    result.fixed_offset_ = *offset;
    result.id_ = fixed_id(*offset);
    return result;
  }
  std::string_view name = java_id;
  for (const auto& [short_id, long_id] : kShortIds) {
    if (short_id == java_id) name = long_id;
  }
  result.zone_ = locate(name);
  if (result.zone_ != nullptr) return result;
  return Status(Code::invalid, "unknown time zone '" + std::string(java_id) +
                                   "': use a tz database id such as Asia/Shanghai, or GMT+08:00");
}

TimeZone TimeZone::local() {
  if (const char* wanted = std::getenv("TZ"); wanted != nullptr && *wanted != 0) {
    if (auto zone = find(*wanted == ':' ? wanted + 1 : wanted); zone.ok()) return std::move(zone).value();
  }
  TimeZone result;
  try {
    result.zone_ = date::current_zone();
    result.id_ = result.zone_->name();
  } catch (const std::exception&) {  // no /etc/localtime: the machine runs on UTC
  }
  return result;
}

TimeZone::Period TimeZone::period_at(std::int64_t epoch_seconds) const {
  if (zone_ == nullptr) return {-kForever, kForever, fixed_offset_};
  // A stream of events stays within one period for months: the database is asked once.
  struct Cache {
    const date::time_zone* zone = nullptr;
    Period period;
  };
  thread_local Cache cache;
  if (cache.zone != zone_ || epoch_seconds < cache.period.from || epoch_seconds >= cache.period.until) {
    cache.period = period_of(*zone_, std::clamp<std::int64_t>(epoch_seconds, -62'000'000'000, 250'000'000'000));
    cache.zone = zone_;
  }
  return cache.period;
}

std::int64_t TimeZone::to_epoch(std::int64_t local_seconds) const {
  // Every offset is below a day, so the period of one day earlier is this one's or the one before it.
  const Period before = period_at(local_seconds - 86'400);
  const std::int64_t candidate = local_seconds - before.offset;
  if (candidate < before.until) return candidate;
  const Period after = period_at(before.until);
  const std::int64_t later = local_seconds - after.offset;
  return later >= after.from ? later : candidate;
}

std::string TimeZone::abbreviation_at(std::int64_t epoch_seconds) const {
  if (zone_ == nullptr) return fixed_offset_ == 0 ? id_ : fixed_id(fixed_offset_);
  return zone_->get_info(date::sys_seconds(std::chrono::seconds(epoch_seconds))).abbrev;
}

}  // namespace standpipe
