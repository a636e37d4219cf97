#include "app/commands.h"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "agent/builtin.h"
#include "agent/configuration_source.h"
#include "agent/rehearsal.h"
#include "app/config_command.h"
#include "app/flume_command_line.h"
#include "app/option_parser.h"
#include "app/run_agent.h"
#include "app/terminal.h"
#include "app/tools/avro_client.h"
#include "app/tools/tool.h"
#include "app/version.h"
#include "base/log.h"
#include "base/text.h"
#include "config/check.h"
#include "config/describe.h"
#include "config/load.h"
#include "net/tls_defaults.h"

namespace standpipe {

namespace {

constexpr std::string_view kUsage = R"(Usage: standpipe <command> [options]

commands:
  agent     run an agent: the options of flume-ng agent (--name, --conf, --conf-file, -Dkey=value, …)
  check     check configuration files: FILE… [--name a1] [--strict]
            exit status 0: fine, 1: warnings (with --strict), 2: errors
  config    an agent's configuration in ZooKeeper: push, pull, diff; config --help says more
  describe  the manual of a component: NAME… | --all [--format text|md|json]
  tool      look after files on disk: tool file-channel <verb>; tool file-channel --help lists the verbs
  version   print the version and what is built in
  help      print this text

In place of Flume use flume-ng, which takes Flume's command line.
)";

void use_tls_defaults(const JavaOptions& java) { set_tls_defaults(read_tls_defaults(java.properties, &std::getenv)); }

int run_agent_line(std::span<const std::string> arguments) {
  auto line = parse_flume_command_line(arguments);
  if (!line.ok()) return fail(line.status().message(), kExitFatal);
  if (line->help) {
    print(flume_usage());
    return kExitGood;
  }
  use_tls_defaults(line->java);
  return run_agent(*line);
}

int print_check(const Configuration& configuration, const std::string& name, bool strict) {
  const Diagnostics diagnostics = name.empty() ? configuration.diagnostics : diagnostics_of(configuration, name);
  print(render(diagnostics));
  for (const AgentGraph& graph : configuration.agents) {
    if (!name.empty() && graph.name != name) continue;
    print("\n" + render_flow(graph));
  }
  if (!name.empty() && configuration.find(name) == nullptr) {
    const std::string near = configuration.nearest_agent(name);
    return fail(fmt::format("there is no agent '{}'{}", name, near.empty() ? "" : "; did you mean '" + near + "'?"),
                kExitUsage);
  }
  if (configuration.agents.empty())
    return fail("no agent is defined: an agent begins with its lists, a1.sources = …", 2);
  return exit_code(diagnostics, strict);
}

}  // namespace

int run_check(std::span<const std::string> arguments) {
  enum : int { kName, kFile, kStrict, kUser, kPassword };
  constexpr SwitchSpec kSwitches[] = {{kName, "n", "name", true},
                                      {kFile, "f", "conf-file", true},
                                      {kStrict, "", "strict", false},
                                      {kUser, "user", "conf-user", true},
                                      {kPassword, "pwd", "conf-password", true}};
  JavaOptions java;
  std::vector<std::string> left;
  for (const std::string& argument : arguments) {
    if (!java.take(argument)) left.push_back(argument);
  }
  const auto parsed = parse_switches(kSwitches, left);
  if (!parsed.ok()) return fail(parsed.status().message(), kExitUsage);
  std::vector<std::string> files;
  std::string name, user, password;
  bool strict = false;
  for (const ParsedSwitch& each : parsed->switches) {
    if (each.id == kName) name = each.value;
    if (each.id == kFile) files.push_back(each.value);
    if (each.id == kStrict) strict = true;
    if (each.id == kUser) user = each.value;
    if (each.id == kPassword) password = each.value;
  }
  use_tls_defaults(java);
  files.insert(files.end(), parsed->rest.begin(), parsed->rest.end());
  if (files.empty()) return fail("check needs a configuration file", kExitUsage);
  std::vector<FilesAndUrls::Location> locations;
  for (const std::string& file : files) locations.push_back({file, user, password});
  const auto texts = FilesAndUrls(std::move(locations)).read();
  if (!texts.ok()) return fail("the configuration can't be read: " + texts.status().message(), kExitUsage);
  LogTarget quiet;  // what components say while they are made is not asked for
  quiet.level = Log::Level::error;
  if (const Status status = configure_logging(quiet); !status.ok()) return fail(status.message(), kExitUsage);
  Configuration configuration = load_for_process(*texts, java.properties);
  rehearse(configuration);
  return print_check(configuration, name, strict);
}

int run_describe(std::span<const std::string> arguments) {
  enum : int { kAll, kFormat };
  constexpr SwitchSpec kSwitches[] = {{kAll, "", "all", false}, {kFormat, "", "format", true}};
  const auto parsed = parse_switches(kSwitches, arguments);
  if (!parsed.ok()) return fail(parsed.status().message(), kExitUsage);
  bool all = false;
  std::string format = "text";
  for (const ParsedSwitch& each : parsed->switches) {
    if (each.id == kAll) all = true;
    if (each.id == kFormat) format = to_lower(each.value);
  }
  std::vector<const ComponentInfo*> chosen;
  for (const ComponentInfo* info : all_components()) {
    bool wanted = all;
    for (const std::string& name : parsed->rest) {
      wanted = wanted || equals_ignoring_case(name, info->name);
      for (const std::string_view class_name : info->class_names) wanted = wanted || class_name == name;
    }
    if (wanted) chosen.push_back(info);
  }
  if (chosen.empty()) {
    if (parsed->rest.empty()) return fail("describe needs a component's name, or --all", kExitUsage);
    return fail(fmt::format("no component is called '{}'; describe --all lists them", parsed->rest.front()),
                kExitUsage);
  }
  if (format == "json") {
    print(describe_all_json(chosen));
  } else if (format == "md") {
    print(describe_all_markdown(chosen));
  } else if (format == "text") {
    for (const ComponentInfo* info : chosen) print(describe_text(*info) + "\n");
  } else {
    return fail(fmt::format("--format {} is not text, md or json", format), kExitUsage);
  }
  return kExitGood;
}

int run_flume_ng(std::span<const std::string> arguments) {
  auto line = parse_flume_command_line(arguments);
  if (!line.ok()) {
    const Status& status = line.status();
    std::fprintf(stderr, "Error: %s\n", status.message().c_str());
    if (arguments.empty() || arguments.front() != "agent") std::fputs(flume_usage().c_str(), stderr);
    return kExitFatal;
  }
  if (line->help || line->command == "help") {
    print(flume_usage());
    return kExitGood;
  }
  if (line->command == "version") {
    print(flume_version_text());
    return kExitGood;
  }
  use_tls_defaults(line->java);
  if (line->command == "avro-client") return run_avro_client(line->rest);
  if (line->command == "tool") {
    for (const auto& [key, value] : line->java.properties) {
      print(fmt::format("Info: -D{} has no effect: a tool loads no Java class that would read it\n", key));
    }
    return run_flume_tool(line->rest);
  }
  return run_agent(*line);
}

int run_standpipe(std::span<const std::string> arguments) {
  const std::string command = arguments.empty() ? "" : arguments.front();
  const bool asks_for_help = arguments.size() == 2 && (arguments[1] == "--help" || arguments[1] == "-h");
  if (asks_for_help && (command == "check" || command == "describe")) {
    print(kUsage);
    return kExitGood;
  }
  if (command == "agent") return run_agent_line(arguments);
  if (command == "check") return run_check(arguments.subspan(1));
  if (command == "describe") return run_describe(arguments.subspan(1));
  if (command == "config") return run_config(arguments.subspan(1));
  if (command == "tool") return run_tool(arguments.subspan(1));
  if (command == "version" || command == "--version") {
    print(version_text());
    return kExitGood;
  }
  if (command == "help" || command == "--help" || command == "-h") {
    print(kUsage);
    return kExitGood;
  }
  std::fprintf(stderr, "Error: %s\n%s", command.empty() ? "no command" : ("unknown command '" + command + "'").c_str(),
               kUsage.data());
  return kExitUsage;
}

}  // namespace standpipe
