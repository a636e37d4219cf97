#include "app/config_command.h"

#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "agent/configuration_source.h"
#include "agent/rehearsal.h"
#include "agent/zookeeper_source.h"
#include "app/flume_command_line.h"
#include "app/last_configuration.h"
#include "app/option_parser.h"
#include "app/run_agent.h"
#include "app/terminal.h"
#include "base/log.h"
#include "base/secrets.h"
#include "base/text.h"
#include "clients/zookeeper/client.h"
#include "clients/zookeeper/connect_string.h"
#include "config/check.h"
#include "config/placeholders.h"
#include "config/properties.h"
#include "io/file_system.h"

namespace standpipe {

namespace {

constexpr std::string_view kUsage = R"(Usage: standpipe config push FILE  --name a1 --zkConnString host:port,… [options]
       standpipe config pull       --name a1 --zkConnString host:port,… [options]
       standpipe config diff [FILE] --name a1 --zkConnString host:port,… [options]

An agent's configuration in ZooKeeper, as flume-ng agent -z reads it: the node <path>/<name> holds the text.
  push    checks FILE and writes it there, as UTF-8; agents that watch the node apply it
  pull    prints what is there, byte for byte
  diff    compares property by property: what is there with FILE; without FILE what ran last on this machine with
          what is there. Values of passwords and the like are not shown

options:
  --name,-n <name>           the agent
  --zkConnString,-z <hosts>  the servers: host:port,host:port, and a chroot behind them
  --zkBasePath,-p <path>     the node above the agent's (/flume)
  --output,-o <file>         pull: writes a file that only its owner may read, in place of standard output
  --strict                   push: not with warnings either
  --force                    push: also with errors
  -Dstandpipe.zookeeper.auth.file=FILE   an identity: "digest:user:password"; what push makes is then for it alone

exit status: 0 done, or nothing differs; 1 something differs, or warnings with --strict; 2 the command line, or errors in
FILE; 3 ZooKeeper does not answer, has no such node, or somebody else changed it meanwhile
)";

constexpr std::size_t kMaxPushed = 1'000'000;  // servers take 1 MiB, with the request round it (jute.maxbuffer)

/// The command line of all three.
struct Request {
  std::string verb;
  FlumeCommandLine agent;  // name, where in ZooKeeper, -D
  std::string file;
  std::string output;
  bool strict = false;
  bool force = false;
  zookeeper::Options options = {};

  std::string node() const { return zookeeper_node(agent); }
  std::string node_name() const { return zookeeper_name(options, node()); }
};

enum Switch : int { kName, kZookeeper, kPath, kOutput, kStrict, kForce };

void take_switch(const ParsedSwitch& each, Request& request) {
  switch (each.id) {
    case kName: request.agent.name = each.value; break;
    case kZookeeper: request.agent.zookeeper = each.value; break;
    case kPath: request.agent.zookeeper_path = each.value; break;
    case kOutput: request.output = each.value; break;
    case kStrict: request.strict = true; break;
    case kForce: request.force = true; break;
    default: break;
  }
}

/// What does not go together.
Status judge(const Request& request) {
  const auto wrong = [](std::string text) { return Status(Code::invalid, std::move(text)); };
  const bool push = request.verb == "push";
  const bool pull = request.verb == "pull";
  if (!push && !pull && request.verb != "diff") {
    return wrong(fmt::format("config takes push, pull or diff, not '{}'", request.verb));
  }
  if (request.agent.name.empty()) return wrong("missing required option: --name, the agent");
  if (request.agent.zookeeper.empty()) return wrong("missing required option: --zkConnString, the servers");
  if (push && request.file.empty()) return wrong("config push needs a file");
  if (pull && !request.file.empty()) return wrong("config pull takes no file; --output names where to write");
  if (!pull && !request.output.empty()) return wrong("--output belongs to config pull");
  if (!push && (request.strict || request.force)) return wrong("--strict and --force belong to config push");
  return zookeeper::check_path(request.node());
}

Result<Request> parse_request(std::span<const std::string> arguments) {
  constexpr SwitchSpec kSwitches[] = {{kName, "n", "name", true},       {kZookeeper, "z", "zkConnString", true},
                                      {kPath, "p", "zkBasePath", true}, {kOutput, "o", "output", true},
                                      {kStrict, "", "strict", false},   {kForce, "", "force", false}};
  Request request;
  std::vector<std::string> left;
  for (const std::string& argument : arguments) {
    if (!request.agent.java.take(argument)) left.push_back(argument);
  }
  TRY_ASSIGN(ParsedLine parsed, parse_switches(kSwitches, left));
  for (const ParsedSwitch& each : parsed.switches) take_switch(each, request);
  if (!parsed.rest.empty()) request.verb = parsed.rest[0];
  if (parsed.rest.size() > 1) request.file = parsed.rest[1];
  if (parsed.rest.size() > 2) {
    return Status(Code::invalid, fmt::format("one file is enough; '{}' is another", parsed.rest[2]));
  }
  TRY(judge(request));
  TRY_ASSIGN(request.options, zookeeper::read_options(request.agent.zookeeper, request.agent.java.properties));
  return request;
}

Result<std::string> read_local(const std::string& file) {
  TRY_ASSIGN(const std::vector<ConfigText> texts, FilesAndUrls({{file, "", ""}}).read());
  return texts.front().bytes;
}

// -- push -------------------------------------------------------------------------------------------------------------

/// 0, or the status with which nothing is pushed.
int check_before(const Request& request, const ConfigText& text) {
  Configuration configuration = load_for_process(std::span(&text, 1), request.agent.java.properties);
  rehearse(configuration);
  const Diagnostics diagnostics = diagnostics_of(configuration, request.agent.name);
  print(render(diagnostics));
  int status = exit_code(diagnostics, request.strict);
  const AgentGraph* graph = configuration.find(request.agent.name);
  if (graph == nullptr || graph->empty()) {
    const std::string near = configuration.nearest_agent(request.agent.name);
    status = fail(fmt::format("{} has nothing to run for agent '{}'{}", request.file, request.agent.name,
                              near.empty() || graph != nullptr ? "" : fmt::format("; did you mean '{}'?", near)),
                  kExitUsage);
  }
  if (status == kExitGood || request.force) return kExitGood;
  return fail("nothing was pushed; --force pushes all the same", status);
}

/// Passwords in a node that everybody may read.
void warn_of_open_secrets(const Request& request, const std::string& text) {
  if (!request.options.auth_scheme.empty()) return;
  Diagnostics ignored;
  for (const PropertyLine& line : parse_properties(text, 0, request.file, ignored)) {
    if (!is_secret_key(line.key) || trim(line.value).empty() || line.value.find("${") != std::string::npos) continue;
    print(
        fmt::format("{}:{}: note: {} can be read in ZooKeeper by everybody who reaches it\n"
                    "    put ${{env:NAME}} in its place, or give -Dstandpipe.zookeeper.auth.file=FILE\n",
                    request.file, line.first_line, line.key));
  }
}

Status write_node(zookeeper::Client& client, const std::string& path, const std::string& text, bool& was_there) {
  const auto before = client.get(path);
  was_there = before.ok() && before->data == text;
  if (was_there) return {};
  Status status;
  if (before.ok()) {
    status = client.set(path, text, before->version);
  } else if (before.status().code() == Code::not_found) {
    status = client.create_with_parents(path, text);
  } else {
    return before.status();
  }
  if (status.code() != Code::timeout) return status;
  // The connection was lost meanwhile, and the answer with it.
  const auto after = client.get(path);
  return after.ok() && after->data == text ? Status() : status;
}

int push(const Request& request) {
  const auto bytes = read_local(request.file);
  if (!bytes.ok()) return fail(bytes.status().message(), kExitUsage);
  const std::string text = properties_as_utf8(*bytes);
  if (const int status = check_before(request, {request.file, text}); status != kExitGood) return status;
  if (text.size() > kMaxPushed) {
    return fail(fmt::format("{} has {} bytes, and ZooKeeper's servers take {} (jute.maxbuffer)", request.file,
                            text.size(), kMaxPushed),
                kExitUsage);
  }
  warn_of_open_secrets(request, text);
  auto client = zookeeper::Client::open(request.options, process_log());
  if (!client.ok()) return fail(client.status().message(), kExitNotThere);
  bool was_there = false;
  const Status status = write_node(**client, request.node(), text, was_there);
  if (!status.ok()) return fail(status.message(), kExitNotThere);
  print(fmt::format("{}: {}\n", request.node_name(), was_there ? "holds this text already" : "written"));
  return kExitGood;
}

// -- pull and diff ----------------------------------------------------------------------------------------------------

Result<ConfigText> read_node(const Request& request) {
  ZookeeperSource source(request.options, request.node(), process_log(), {});
  TRY_ASSIGN(std::vector<ConfigText> texts, source.read());
  return std::move(texts.front());
}

int pull(const Request& request) {
  const auto text = read_node(request);
  if (!text.ok()) return fail(text.status().message(), kExitNotThere);
  if (request.output.empty()) {
    print(text->bytes);
    return kExitGood;
  }
  const Status status = write_file_atomically(real_file_system(), request.output, text->bytes, 0600);
  return status.ok() ? kExitGood : fail(status.message(), kExitUsage);
}

using Values = std::map<std::string, std::string>;

Values values_of(const ConfigText& text) {
  Diagnostics ignored;
  Values values;
  for (const PropertyLine& line : parse_properties(text.bytes, 0, text.name, ignored)) {
    values[std::string(trim(line.key))] = trim(line.value);
  }
  return values;
}

std::string shown(char sign, const std::string& key, const std::string& value) {
  const std::string hidden = is_secret_key(key) ? std::string(SecretMask::kHidden) : value;
  return fmt::format("{} {}\n", sign, format_property(key, hidden));
}

/// Only what differs, by key; empty: nothing does.
std::string difference_of(const Values& before, const Values& after) {
  std::map<std::string, std::string> lines;  // by key
  for (const auto& [key, value] : before) {
    const auto found = after.find(key);
    if (found == after.end() || found->second != value) lines[key] += shown('-', key, value);
  }
  for (const auto& [key, value] : after) {
    const auto found = before.find(key);
    if (found == before.end() || found->second != value) lines[key] += shown('+', key, value);
  }
  std::string text;
  for (const auto& [key, line] : lines) text += line;
  return text;
}

int diff(const Request& request) {
  const auto there = read_node(request);
  if (!there.ok()) return fail(there.status().message(), kExitNotThere);
  Result<ConfigText> other = ConfigText{request.file, {}};
  if (request.file.empty()) {
    other = read_last_configuration(state_root_of(request.agent));
    if (!other.ok()) {
      return fail(
          fmt::format("nothing from ZooKeeper ran here as {} yet: {}", request.agent.name, other.status().message()),
          kExitUsage);
    }
  } else {
    auto bytes = read_local(request.file);
    if (!bytes.ok()) return fail(bytes.status().message(), kExitUsage);
    other->bytes = std::move(bytes).value();
  }
  const bool file_is_new = !request.file.empty();
  const ConfigText& before = file_is_new ? *there : *other;
  const ConfigText& after = file_is_new ? *other : *there;
  const std::string text = difference_of(values_of(before), values_of(after));
  if (text.empty()) return kExitGood;
  print(fmt::format("--- {}\n+++ {}\n{}", before.name, after.name, text));
  return kExitDiffers;
}

}  // namespace

int run_config(std::span<const std::string> arguments) {
  const auto asks_for_help = [](const std::string& word) { return word == "--help" || word == "-h"; };
  if (std::any_of(arguments.begin(), arguments.end(), asks_for_help)) {
    print(kUsage);
    return kExitGood;
  }
  const auto request = parse_request(arguments);
  if (!request.ok()) return fail(request.status().message(), kExitUsage);
  LogTarget quiet;  // how the session goes is not asked for
  quiet.level = Log::Level::error;
  if (const Status status = configure_logging(quiet); !status.ok()) return fail(status.message(), kExitUsage);
  if (request->verb == "push") return push(*request);
  return request->verb == "pull" ? pull(*request) : diff(*request);
}

}  // namespace standpipe
