#pragma once

#include <span>
#include <string>
#include <vector>

#include "app/java_options.h"
#include "standpipe/status.h"

namespace standpipe {

/// `flume-ng <command> …` as Flume's script and its Application read it.
struct FlumeCommandLine {
  std::string command;  ///< agent, avro-client, tool, version, help
  std::string conf_dir;
  bool dry_run = false;
  JavaOptions java;
  std::vector<std::string> messages;  ///< "Warning: …", for standard error

  // agent
  std::string name;
  std::vector<std::string> conf_files;
  std::vector<std::string> conf_uris;
  std::string conf_user;
  std::string conf_password;
  int poll_interval_s = 0;  ///< 0: 30 for files, 300 for URLs
  std::string backup_directory;
  bool no_reload = false;
  std::string zookeeper;  ///< the connect string; empty: the configuration is not there
  std::string zookeeper_path = "/flume";
  bool help = false;

  std::vector<std::string> rest;  ///< the arguments of avro-client and tool, untouched
};

/// Code::invalid names the argument at fault. Reads the conf folder's flume-env.sh, and so may change the environment.
Result<FlumeCommandLine> parse_flume_command_line(std::span<const std::string> arguments);

/// "/flume/a1": the node that -p and -n name.
std::string zookeeper_node(const FlumeCommandLine& line);

std::string flume_usage();

}  // namespace standpipe
