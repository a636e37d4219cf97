#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include <fmt/format.h>

#include "monitor/metrics.h"
#include "monitor/render.h"

namespace standpipe {

namespace {

std::string label_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string labels_of(const ComponentReading& reading) {
  return fmt::format("{{agent=\"{}\",kind=\"{}\",component=\"{}\"}}", label_text(reading.agent),
                     to_string(reading.kind), label_text(reading.name));
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", number);
}

/// All samples of one metric: the format wants them together under one heading.
struct Family {
  std::string help;
  bool counter;
  std::string samples;
};

class Families {
 public:
  void add(const std::string& name, std::string_view help, bool counter, const std::string& labels, double number) {
    Family& family = families_.try_emplace(name, Family{std::string(help), counter, {}}).first->second;
    family.samples += fmt::format("{}{} {}\n", name, labels, number_text(number));
  }

  std::string text() const {
    std::string out;
    for (const auto& [name, family] : families_) {
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n{}", name, family.help, name,
                         family.counter ? "counter" : "gauge", family.samples);
    }
    return out;
  }

 private:
  std::map<std::string, Family> families_;
};

void add_value(const ComponentReading& reading, const std::string& attribute, double number, Families& families) {
  if (const Metric* metric = find_metric(attribute)) {
    families.add(std::string(metric->name), metric->help, metric->counter, labels_of(reading), number * metric->scale);
    return;
  }
  const bool counter = attribute.ends_with("Count") || attribute.ends_with("Fail") || attribute.ends_with("Timer");
  families.add(derived_metric_name(attribute, counter), fmt::format("The component's {}.", attribute), counter,
               labels_of(reading), number);
}

bool is_up(LifeState state) { return state == LifeState::running || state == LifeState::finished; }

}  // namespace

ProcessReading read_process() {
  ProcessReading reading;
  std::uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  reading.resident_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  timespec used{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
    reading.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }
  if (DIR* folder = ::opendir("/proc/self/fd")) {
    while (::readdir(folder) != nullptr) ++reading.open_descriptors;
    ::closedir(folder);
    reading.open_descriptors -=
        std::min<std::uint64_t>(reading.open_descriptors, 3);  // ".", ".." and the folder itself
  }
  return reading;
}

std::string render_prometheus(const std::vector<ComponentReading>& readings, const ProcessReading& process) {
  Families families;
  for (const ComponentReading& reading : readings) {
    for (const auto& [attribute, number] : reading.values) add_value(reading, attribute, number, families);
    families.add("standpipe_up", "1 while the component does its work or has finished it.", false, labels_of(reading),
                 is_up(reading.state) ? 1 : 0);
  }
  families.add("process_resident_memory_bytes", "Memory of the process that is in use.", false, "",
               static_cast<double>(process.resident_bytes));
  families.add("process_cpu_seconds_total", "Processor time used by the process.", true, "", process.cpu_seconds);
  families.add("process_open_fds", "Descriptors that the process has open.", false, "",
               static_cast<double>(process.open_descriptors));
  families.add("standpipe_memory_budget_used_bytes", "Memory charged to the budget.", false, "",
               static_cast<double>(process.budget_used));
  families.add("standpipe_memory_budget_limit_bytes", "The most that the budget allows.", false, "",
               static_cast<double>(process.budget_limit));
  return families.text();
}

}  // namespace standpipe
