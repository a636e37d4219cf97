#pragma once

#include <zookeeper/zookeeper.h>

#include "standpipe/status.h"

namespace standpipe::zookeeper {

/// The functions of ZooKeeper's C library that are used here. It is loaded at the first call of library() and stays:
/// an agent whose configuration is a file has nothing of it. Its log goes to ours, at DEBUG.
struct Library {
  decltype(&::zookeeper_init2) open;
  decltype(&::zookeeper_close) close;
  decltype(&::zoo_add_auth) add_auth;
  decltype(&::zoo_client_id) client_id;
  decltype(&::zoo_recv_timeout) session_timeout;
  decltype(&::zoo_awget) get;
  decltype(&::zoo_awexists) exists;
  decltype(&::zoo_awget_children) children;
  decltype(&::zoo_acreate) create;
  decltype(&::zoo_aset) set;
  decltype(&::zoo_adelete) remove;
  decltype(&::zerror) error_text;
  decltype(&::zoo_set_debug_level) set_log_level;

  // The kind of event that says how a session is, and what it may say; the library has them as variables.
  int session_event;
  int connected;
  int expired;
  int auth_failed;
};

/// Code::unavailable says which package has it. Thread-safe.
const Result<Library>& library();

/// For zookeeper_init2: a line of the library's log.
void log_line(const char* line);

}  // namespace standpipe::zookeeper
