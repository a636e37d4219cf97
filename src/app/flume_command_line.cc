#include "app/flume_command_line.h"

#include <filesystem>

#include <fmt/format.h>

#include "app/option_parser.h"
#include "base/text.h"
#include "clients/zookeeper/connect_string.h"

namespace standpipe {

namespace {

enum Switch : int {
  kName,
  kConfFile,
  kConfUri,
  kConfProvider,
  kAuthProvider,
  kUser,
  kPassword,
  kPollInterval,
  kBackup,
  kNoReload,
  kZookeeper,
  kZookeeperPath,
  kHelp,
};

constexpr SwitchSpec kAgentSwitches[] = {
    {kName, "n", "name", true},
    {kConfFile, "f", "conf-file", true},
    {kConfUri, "u", "conf-uri", true},
    {kConfProvider, "prov", "conf-provider", true},
    {kAuthProvider, "a", "auth-provider", true},
    {kUser, "user", "conf-user", true},
    {kPassword, "pwd", "conf-password", true},
    {kPollInterval, "i", "poll-interval", true},
    {kBackup, "b", "backup-directory", true},
    {kNoReload, "", "no-reload-conf", false},
    {kZookeeper, "z", "zkConnString", true},
    {kZookeeperPath, "p", "zkBasePath", true},
    {kHelp, "h", "help", false},
};

/// What the script keeps for itself, before the command's own switches: returns what is left.
Result<std::vector<std::string>> take_script_switches(std::span<const std::string> arguments, FlumeCommandLine& line,
                                                      std::vector<std::string>& java_words) {
  std::vector<std::string> left;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool takes_value = argument == "-c" || argument == "--conf" || argument == "-C" ||
                             argument == "--classpath" || argument == "--plugins-path";
    if (takes_value && i + 1 == arguments.size())
      return Status(Code::invalid, fmt::format("{} needs a value", argument));
    if (argument == "-c" || argument == "--conf") {
      line.conf_dir = arguments[++i];
    } else if (takes_value) {
      line.messages.push_back(
          fmt::format("Info: {} {} has no effect: there is no Java class path here", argument, arguments[i + 1]));
      ++i;
    } else if (argument == "-d" || argument == "--dryrun") {
      line.dry_run = true;
    } else if (JavaOptions probe; probe.take(argument)) {
      java_words.push_back(argument);
    } else {
      left.push_back(argument);
    }
  }
  return left;
}

Status apply(const ParsedSwitch& parsed, FlumeCommandLine& line) {
  switch (parsed.id) {
    case kName: line.name = parsed.value; break;
    case kConfFile: line.conf_files.push_back(parsed.value); break;
    case kConfUri: line.conf_uris.push_back(parsed.value); break;
    case kConfProvider:
      line.messages.push_back(fmt::format(
          "Warning: --conf-provider {} has no effect: a Java class can't be loaded here; use -f or -u", parsed.value));
      break;
    case kAuthProvider:
      line.messages.push_back(
          fmt::format("Warning: --auth-provider {} has no effect: a Java class can't be loaded "
                      "here; -user and -pwd give basic authorization",
                      parsed.value));
      break;
    case kUser: line.conf_user = parsed.value; break;
    case kPassword: line.conf_password = parsed.value; break;
    case kPollInterval: {
      const auto seconds = parse_integer(parsed.value);
      if (!seconds || *seconds < 0 || *seconds > 1'000'000) {
        return {Code::invalid, fmt::format("--poll-interval '{}' is not a number of seconds", parsed.value)};
      }
      line.poll_interval_s = static_cast<int>(*seconds);
      break;
    }
    case kBackup: line.backup_directory = parsed.value; break;
    case kNoReload: line.no_reload = true; break;
    case kZookeeper: line.zookeeper = parsed.value; break;
    case kZookeeperPath: line.zookeeper_path = parsed.value; break;
    case kHelp: line.help = true; break;
    default: break;
  }
  return {};
}

Status parse_agent(std::span<const std::string> arguments, FlumeCommandLine& line) {
  TRY_ASSIGN(ParsedLine parsed, parse_switches(kAgentSwitches, arguments));
  for (const ParsedSwitch& each : parsed.switches) TRY(apply(each, line));
  for (const std::string& word : parsed.rest)
    line.messages.push_back(fmt::format("Warning: ignored argument '{}'", word));
  if (line.help) return {};
  if (line.name.empty()) return {Code::invalid, "missing required option: --name, the agent to run"};
  if (line.conf_files.empty() && line.conf_uris.empty() && line.zookeeper.empty()) {
    return {Code::invalid,
            "no configuration was given: use --conf-file FILE, --conf-uri URL or --zkConnString HOST:PORT"};
  }
  if (!line.zookeeper.empty() && !(line.conf_files.empty() && line.conf_uris.empty())) {
    line.messages.emplace_back("Warning: --zkConnString is given, and so --conf-file and --conf-uri are not read");
  }
  return {};
}

/// What the user should know about the folder given with --conf.
void describe_conf_dir(FlumeCommandLine& line) {
  if (line.conf_dir.empty()) {
    line.messages.emplace_back("Warning: No configuration directory set! Use --conf <dir> to override.");
    return;
  }
  std::error_code ignored;
  if (!std::filesystem::is_directory(line.conf_dir, ignored)) {
    line.messages.push_back(fmt::format("Warning: --conf {} is no folder: there is no flume-env.sh", line.conf_dir));
    return;
  }
  for (const char* name : {"log4j2.xml", "log4j.properties"}) {
    const std::string path = fmt::format("{}/{}", line.conf_dir, name);
    if (!std::filesystem::exists(path, ignored)) continue;
    line.messages.push_back(fmt::format(
        "Info: {} is not read: -Dflume.root.logger=LEVEL,console or LEVEL,LOGFILE says where the log goes", path));
  }
}

}  // namespace

Result<FlumeCommandLine> parse_flume_command_line(std::span<const std::string> arguments) {
  FlumeCommandLine line;
  if (arguments.empty()) return Status(Code::invalid, "Unknown or unspecified command ''");
  line.command = arguments.front();
  if (line.command == "node") {
    line.messages.emplace_back("Warning: the command 'node' is the old name of 'agent'");
    line.command = "agent";
  }
  if (line.command == "--help" || line.command == "-h") line.command = "help";
  const bool known = line.command == "agent" || line.command == "avro-client" || line.command == "tool" ||
                     line.command == "version" || line.command == "help";
  if (!known) return Status(Code::invalid, fmt::format("Unknown or unspecified command '{}'", line.command));

  std::vector<std::string> java_words;
  TRY_ASSIGN(std::vector<std::string> left, take_script_switches(arguments.subspan(1), line, java_words));
  if (line.command != "agent") {
    for (const std::string& word : java_words) line.java.take(word);
    line.rest = std::move(left);
    return line;
  }
  describe_conf_dir(line);
  for (std::string& message : read_environment_script(line.conf_dir, line.java))
    line.messages.push_back(std::move(message));
  for (const std::string& word : java_words) line.java.take(word);  // the command line wins over JAVA_OPTS
  for (const std::string& word : line.java.without_effect) {
    line.messages.push_back(fmt::format("Info: {} has no effect: there is no Java machine here", word));
  }
  TRY(parse_agent(left, line));
  return line;
}

std::string zookeeper_node(const FlumeCommandLine& line) {
  return zookeeper::join_path(line.zookeeper_path, line.name);
}

std::string flume_usage() {
  return R"(Usage: flume-ng <command> [options]...

commands:
  help                      print this text
  agent                     run an agent
  avro-client               send lines to an Avro source: avro-client --help
  tool                      tools for channels: fcintegritytool -l <data folders>
  version                   print the version

global options:
  --conf,-c <dir>           configuration folder: flume-env.sh is read there
  --dryrun,-d               check the command line and the configuration, run nothing
  -Dproperty=value          a Java system property that Flume knows
  -Xmx<size>                the memory budget's wish
  --classpath,-C, --plugins-path, other -X and Java machine options: accepted, without effect

agent options:
  --name,-n <name>          the agent to run (required)
  --conf-file,-f <file>     a configuration file; repeatable, later ones win per key
  --conf-uri,-u <uri>       the same from file:, http: or https:, polled; repeatable
  --conf-user,-user <name>, --conf-password,-pwd <password>   basic authorization for http(s)
  --poll-interval,-i <s>    how often the configuration is looked at (30; 300 for a URL)
  --backup-directory,-b <dir>  where the configuration that ran last is kept
  --no-reload-conf          don't look for changes
  --zkConnString,-z <host:port,...>   the configuration is in ZooKeeper; wins over -f and -u
  --zkBasePath,-p <path>    the node above the agent's: /flume
  --help,-h                 print this text
)";
}

}  // namespace standpipe
