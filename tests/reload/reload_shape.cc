#include "reload/reload_shape.h"

#include <fmt/format.h>

namespace standpipe::testing {

std::string ReloadShape::change(std::mt19937& random) {
  const auto number = [&random](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  std::string what;
  switch (number(12)) {
    case 0: tail_ = !tail_, what = "source r2 comes or goes"; break;
    case 1: tail_batch_ = 50 + number(100), tail_ = true, what = "source r2 changes"; break;
    case 2: c2_ = !c2_, to_c2_ = c2_ && number(2) == 0, what = "channel c2 comes or goes"; break;
    case 3: c1_ = !c1_, what = "channel c1 comes or goes"; break;
    case 4: capacity_ = 500 + number(2000), what = "the channels' capacity changes"; break;
    case 5: c2_pseudo_ = !c2_pseudo_, c2_ = true, what = "channel c2 is of another type"; break;
    case 6: to_c1_ = number(2) == 0, to_c2_ = number(2) == 0, what = "source r1 goes elsewhere"; break;
    case 7: multiplexing_ = !multiplexing_, c1_ = c2_ = true, what = "the selector changes"; break;
    case 8: interceptors_ = number(3), stamp_ = number(1000), what = "the interceptors change"; break;
    case 9: second_sink_ = !second_sink_, what = "sink k2 comes or goes"; break;
    case 10: sink_batch_ = 20 + number(200), what = "sink k1 changes"; break;
    default: group_ = number(3), second_sink_ = true, what = "the sink group changes"; break;
  }
  tail_to_c2_ = number(2) == 0;
  make_sound();
  return what;
}

void ReloadShape::complete() {
  tail_ = true;
  make_sound();
}

void ReloadShape::make_sound() {
  if (!c1_ && !c2_) c1_ = true;
  to_c1_ = to_c1_ && c1_;
  to_c2_ = to_c2_ && c2_;
  if (!to_c1_ && !to_c2_) (c1_ ? to_c1_ : to_c2_) = true;
  if (multiplexing_ && !(c1_ && c2_)) multiplexing_ = false;
  if (multiplexing_) to_c1_ = to_c2_ = true;
  tail_to_c2_ = c1_ ? tail_to_c2_ && c2_ : true;
  if (!c1_) second_sink_ = false;
  if (!second_sink_) group_ = 0;
}

std::string ReloadShape::source_r1() const {
  return "a1.sources.r1.type = netcat\na1.sources.r1.port = 2\na1.sources.r1.bind = 127.0.0.1\n";
}

std::string ReloadShape::behind_r1() const {
  std::string lines = fmt::format("a1.sources.r1.channels = {}{}\n", to_c1_ ? "c1 " : "", to_c2_ ? "c2" : "");
  std::string names;
  if (multiplexing_) {
    names += " route";
    lines += fmt::format(
        "a1.sources.r1.interceptors.route.type = static\n"
        "a1.sources.r1.interceptors.route.key = way\n"
        "a1.sources.r1.interceptors.route.value = {}\n"
        "a1.sources.r1.selector.type = multiplexing\n"
        "a1.sources.r1.selector.header = way\n"
        "a1.sources.r1.selector.mapping.a = c1\n"
        "a1.sources.r1.selector.mapping.b = c2\n"
        "a1.sources.r1.selector.default = c1\n",
        stamp_ % 2 == 0 ? "a" : "b");
  }
  if (interceptors_ > 0) {
    names += " time";
    lines += "a1.sources.r1.interceptors.time.type = timestamp\n";
  }
  if (interceptors_ > 1) {
    names += " stamp";
    lines += fmt::format(
        "a1.sources.r1.interceptors.stamp.type = static\n"
        "a1.sources.r1.interceptors.stamp.key = stamp\n"
        "a1.sources.r1.interceptors.stamp.value = {}\n",
        stamp_);
  }
  return names.empty() ? lines : lines + "a1.sources.r1.interceptors =" + names + "\n";
}

std::string ReloadShape::source_r2() const {
  return fmt::format(
      "a1.sources.r2.type = TAILDIR\n"
      "a1.sources.r2.filegroups = f\n"
      "a1.sources.r2.filegroups.f = {0}/tail.log\n"
      "a1.sources.r2.positionFile = {0}/position.json\n"
      "a1.sources.r2.batchSize = {1}\n",
      folder_, tail_batch_);
}

std::string ReloadShape::group() const {
  if (group_ == 0) return "";
  return fmt::format("a1.sinkgroups = g1\na1.sinkgroups.g1.sinks = k1 k2\na1.sinkgroups.g1.processor.type = {}\n",
                     group_ == 1 ? "failover" : "load_balance");
}

ReloadShape::Lines ReloadShape::sink_lines() const {
  Lines lines;
  lines["k0"] = fmt::format(
      "a1.sinks.k0.type = hdfs\n"
      "a1.sinks.k0.channel = c0\n"
      "a1.sinks.k0.hdfs.path = file://{}/out/c0/k0\n"
      "a1.sinks.k0.hdfs.fileType = DataStream\n"
      "a1.sinks.k0.hdfs.writeFormat = Text\n"
      "a1.sinks.k0.hdfs.fileSync = false\n"
      "a1.sinks.k0.hdfs.rollInterval = 0\n"
      "a1.sinks.k0.hdfs.rollSize = 0\n"
      "a1.sinks.k0.hdfs.rollCount = 0\n",
      folder_);
  const auto file_roll = [&](const std::string& name, const std::string& channel, int batch) {
    lines[name] = fmt::format(
        "a1.sinks.{0}.type = file_roll\n"
        "a1.sinks.{0}.channel = {1}\n"
        "a1.sinks.{0}.sink.directory = {2}/out/{1}/{0}\n"
        "a1.sinks.{0}.sink.rollInterval = 0\n"
        "a1.sinks.{0}.sink.batchSize = {3}\n",
        name, channel, folder_, batch);
  };
  if (c1_) file_roll("k1", "c1", sink_batch_);
  if (second_sink_) file_roll("k2", "c1", 100);
  if (c2_) file_roll("k3", "c2", 100);
  return lines;
}

std::string ReloadShape::text() const {
  const Lines sinks = sink_lines();
  std::string text =
      fmt::format("a1.drainTimeout = 20000\na1.sources = r0 r1{}\na1.channels = c0{}{}\na1.sinks =", tail_ ? " r2" : "",
                  c1_ ? " c1" : "", c2_ ? " c2" : "");
  for (const auto& [name, lines] : sinks) text += " " + name;
  text +=
      "\na1.sources.r0.type = netcat\na1.sources.r0.bind = 127.0.0.1\na1.sources.r0.port = 1\n"
      "a1.sources.r0.channels = c0\n";
  text += source_r1() + behind_r1();
  if (tail_) text += source_r2() + fmt::format("a1.sources.r2.channels = {}\n", tail_to_c2_ ? "c2" : "c1");
  text += "a1.channels.c0.type = memory\na1.channels.c0.capacity = 1000\n";
  if (c1_) text += fmt::format("a1.channels.c1.type = memory\na1.channels.c1.capacity = {}\n", capacity_);
  if (c2_) {
    text += fmt::format("a1.channels.c2.type = {}\na1.channels.c2.capacity = {}\n", c2_pseudo_ ? "pseudotxn" : "memory",
                        c2_pseudo_ ? 1000 : capacity_);
  }
  for (const auto& [name, lines] : sinks) text += lines;
  return text + group();
}

std::map<std::string, std::string> ReloadShape::identities() const {
  Lines all{{"SOURCE.r0", ""}, {"SOURCE.r1", source_r1()}, {"CHANNEL.c0", "memory"}};
  if (tail_) all["SOURCE.r2"] = source_r2();
  const std::string c2_type = c2_pseudo_ ? "pseudotxn" : "memory";
  if (c1_) all["CHANNEL.c1"] = "memory";
  if (c2_) all["CHANNEL.c2"] = c2_type;
  const Lines sinks = sink_lines();
  for (const auto& [name, lines] : sinks) all["SINK." + name] = lines;
  if (group_ != 0) all["SINK.k1"] = all["SINK.k2"] = group() + sinks.at("k1") + sinks.at("k2");
  if (c2_) all["SINK.k3"] += c2_type;
  return all;
}

std::string broken(const std::string& text, unsigned kind) {
  switch (kind % 7) {
    case 0: return text + "a1.sources.r1.channels = nowhere\n";
    case 1: return text.substr(0, text.find("a1.sinks.k0.channel"));  // sinks are listed that are not there
    case 2: return text + "a1.sinks.k0.type = hdsf\n";
    case 3: return "";
    case 4:
      return std::string(
                 "\x7f"
                 "ELF\0\1\2\3",
                 8) +
             text.substr(0, 20);
    case 5: return text + "a1.channels.c0.type = memry\n";
    default: return text + "a1.sources.r0.port = many\n";
  }
}

}  // namespace standpipe::testing
