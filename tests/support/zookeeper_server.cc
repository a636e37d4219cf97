#include "support/zookeeper_server.h"

namespace standpipe::testing {

namespace {

enum Type : std::int32_t {
  kCreate = 1,
  kDelete = 2,
  kExists = 3,
  kGet = 4,
  kSet = 5,
  kChildren = 8,
  kPing = 11,
  kClose = -11,
  kAuth = 100,
  kSetWatches = 101,
};
constexpr std::int32_t kNoNode = -101, kBadVersion = -103, kNodeExists = -110, kNotEmpty = -111, kUnimplemented = -6;
constexpr std::int32_t kCreated = 1, kDeleted = 2, kChanged = 3, kChild = 4;  // events

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

/// Jute, the encoding of ZooKeeper: big-endian numbers, strings and lists with a count before them.
class ZookeeperTestServer::In {
 public:
  explicit In(const std::string& bytes) : bytes_(bytes) {}
  std::int64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : take(size)) value = value << 8 | static_cast<unsigned char>(byte);
    return size == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
  }
  std::int32_t word() { return static_cast<std::int32_t>(number(4)); }
  bool flag() { return number(1) != 0; }
  std::string text() {
    const std::int32_t size = word();
    return size < 0 ? "" : take(static_cast<std::size_t>(size));
  }

 private:
  std::string take(std::size_t size) {
    if (size > bytes_.size() - at_) throw Peer::Gone();
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  const std::string& bytes_;
  std::size_t at_ = 0;
};

class ZookeeperTestServer::Out {
 public:
  Out& number(std::int64_t value, int size) {
    for (int byte = size - 1; byte >= 0; --byte) bytes_ += static_cast<char>(value >> (8 * byte));
    return *this;
  }
  Out& word(std::int64_t value) { return number(value, 4); }
  Out& text(const std::string& value) {
    word(static_cast<std::int64_t>(value.size()));
    bytes_ += value;
    return *this;
  }
  Out& add(const Out& other) {
    bytes_ += other.bytes_;
    return *this;
  }
  std::string framed() const { return Out().text(bytes_).bytes_; }

 private:
  std::string bytes_;
};

/// One connection: its session, and what it watches.
struct ZookeeperTestServer::Link {
  Peer& peer;
  std::int64_t session = 0;
  std::map<Kind, std::set<std::string>> watches = {};
};

ZookeeperTestServer::ZookeeperTestServer() {
  nodes_["/"];
  start([this](Peer& peer) { serve(peer); });
}

ZookeeperTestServer::~ZookeeperTestServer() { stop(); }

void ZookeeperTestServer::serve(Peer& peer) {
  Link link{peer};
  {
    std::lock_guard lock(mutex_);
    if (away_) return;
    links_.insert(&link);
  }
  try {
    bool goes_on = greet(link);
    while (goes_on) goes_on = answer(link, peer.raw(peer.word()));
  } catch (const Peer::Gone&) {
  }
  std::lock_guard lock(mutex_);
  links_.erase(&link);
}

bool ZookeeperTestServer::greet(Link& link) {
  const std::string hello = link.peer.raw(link.peer.word());
  In in(hello);
  in.word();     // the protocol's version
  in.number(8);  // the last zxid it saw
  const std::int32_t timeout = in.word();
  const std::int64_t wanted = in.number(8);
  std::lock_guard lock(mutex_);
  if (!raw_.empty()) {
    link.peer.send(raw_);
    return false;
  }
  const bool expired = wanted != 0 && !live_sessions_.contains(wanted);
  if (wanted == 0) ++sessions_;
  link.session = expired ? 0 : wanted != 0 ? wanted : next_session_++;
  if (!expired) live_sessions_.insert(link.session);
  Out out;
  out.word(0).word(expired ? 0 : timeout).number(link.session, 8).text(std::string(16, 'p')).number(0, 1);
  link.peer.send(out.framed());
  return !expired;
}

bool ZookeeperTestServer::answer(Link& link, const std::string& request) {
  In in(request);
  const std::int32_t xid = in.word();
  const std::int32_t type = in.word();
  std::lock_guard lock(mutex_);
  if (silent_) return true;
  if (!raw_.empty()) {
    link.peer.send(raw_);
    return true;
  }
  std::int32_t error = 0;
  const Out body = carry_out(link, type, in, error);
  Out out;
  out.word(xid).number(zxid_, 8).word(error);
  if (error == 0) out.add(body);
  link.peer.send(out.framed());
  if (type == kClose) {
    ++goodbyes_;
    live_sessions_.erase(link.session);
  }
  return type != kClose;
}

ZookeeperTestServer::Out ZookeeperTestServer::stat(const Stored& node) {
  Out out;
  out.number(node.changed, 8).number(node.changed, 8).number(0, 8).number(0, 8);
  out.word(node.version).word(0).word(0).number(0, 8).word(static_cast<std::int64_t>(node.data.size())).word(0);
  return out.number(node.changed, 8);
}

ZookeeperTestServer::Out ZookeeperTestServer::carry_out(Link& link, std::int32_t type, In& in, std::int32_t& error) {
  if (type == kPing || type == kClose) return {};
  if (type == kAuth) {
    in.word();
    const std::string scheme = in.text();
    identities_.push_back(scheme + ":" + in.text());
    return {};
  }
  if (type == kSetWatches) {
    set_watches(link, in);
    return {};
  }
  const std::string path = in.text();
  const auto found = nodes_.find(path);
  const bool there = found != nodes_.end();
  Out out;
  switch (type) {
    case kGet:
    case kExists:
      if (in.flag() && (there || type == kExists)) link.watches[type == kGet ? Kind::data : Kind::exists].insert(path);
      if (!there) error = kNoNode;
      if (there && type == kGet) out.text(found->second.data);
      return there ? out.add(stat(found->second)) : out;
    case kChildren: {
      if (!there) error = kNoNode;
      if (in.flag() && there) link.watches[Kind::children].insert(path);
      const auto names = names_below(path);
      out.word(static_cast<std::int64_t>(names.size()));
      for (const std::string& name : names) out.text(name);
      return out;
    }
    case kCreate: {
      const std::string data = in.text();
      std::string owner;
      for (std::int32_t count = in.word(); count > 0; --count) {
        in.word();
        owner = in.text();
        owner += ":" + in.text();
      }
      error = there ? kNodeExists : nodes_.contains(parent_of(path)) ? 0 : kNoNode;
      if (error == 0) store(path, data, owner);
      return out.text(path);
    }
    case kSet: {
      const std::string data = in.text();
      const std::int32_t version = in.word();
      error = !there ? kNoNode : version != -1 && version != found->second.version ? kBadVersion : 0;
      if (error != 0) return out;
      store(path, data, found->second.owner);
      return stat(nodes_[path]);
    }
    case kDelete: {
      const std::int32_t version = in.word();
      error = !there                                              ? kNoNode
              : version != -1 && version != found->second.version ? kBadVersion
              : !names_below(path).empty()                        ? kNotEmpty
                                                                  : 0;
      if (error != 0) return out;
      nodes_.erase(found);
      fire(Kind::data, path, kDeleted);
      fire(Kind::exists, path, kDeleted);
      fire(Kind::children, parent_of(path), kChild);
      return out;
    }
    default: error = kUnimplemented; return out;
  }
}

void ZookeeperTestServer::set_watches(Link& link, In& in) {
  const std::int64_t seen = in.number(8);
  for (const Kind kind : {Kind::data, Kind::exists, Kind::children}) {
    for (std::int32_t count = in.word(); count > 0; --count) {
      const std::string path = in.text();
      const auto node = nodes_.find(path);
      const bool there = node != nodes_.end();
      const bool changed = there && node->second.changed > seen;
      link.watches[kind].insert(path);
      if (!there && kind != Kind::exists) fire(kind, path, kDeleted);
      if (there && kind == Kind::exists) fire(kind, path, kCreated);
      if (changed && kind == Kind::data) fire(kind, path, kChanged);
    }
  }
}

void ZookeeperTestServer::fire(Kind kind, const std::string& path, std::int32_t type) {
  Out event;
  event.word(-1).number(-1, 8).word(0).word(type).word(3).text(path);
  for (Link* link : links_) {
    if (link->watches[kind].erase(path) != 0) link->peer.send(event.framed());
  }
}

void ZookeeperTestServer::store(const std::string& path, const std::string& data, const std::string& owner) {
  const bool is_new = !nodes_.contains(path);
  Stored& node = nodes_[path];
  node.version += is_new ? 0 : 1;
  node.data = data;
  node.owner = owner;
  node.changed = ++zxid_;
  fire(Kind::data, path, kChanged);
  fire(Kind::exists, path, is_new ? kCreated : kChanged);
  if (is_new) fire(Kind::children, parent_of(path), kChild);
}

std::vector<std::string> ZookeeperTestServer::names_below(const std::string& path) const {
  std::vector<std::string> names;
  for (const auto& [other, node] : nodes_) {
    if (other != "/" && parent_of(other) == path) names.push_back(other.substr(other.rfind('/') + 1));
  }
  return names;
}

void ZookeeperTestServer::put(const std::string& path, const std::string& data) {
  std::lock_guard lock(mutex_);
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (!nodes_.contains(path.substr(0, slash))) store(path.substr(0, slash), "", "world:anyone");
  }
  store(path, data, "world:anyone");
}

void ZookeeperTestServer::erase(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (nodes_.erase(path) == 0) return;
  ++zxid_;
  fire(Kind::data, path, kDeleted);
  fire(Kind::exists, path, kDeleted);
  fire(Kind::children, parent_of(path), kChild);
}

bool ZookeeperTestServer::has(const std::string& path) const {
  std::lock_guard lock(mutex_);
  return nodes_.contains(path);
}
std::string ZookeeperTestServer::data(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? "" : found->second.data;
}
std::string ZookeeperTestServer::owner(const std::string& path) const {
  std::lock_guard lock(mutex_);
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? "" : found->second.owner;
}

void ZookeeperTestServer::away(bool yes) {
  {
    std::lock_guard lock(mutex_);
    away_ = yes;
  }
  if (yes) drop_connections();
}

void ZookeeperTestServer::expire_sessions() {
  {
    std::lock_guard lock(mutex_);
    live_sessions_.clear();
  }
  drop_connections();
}

void ZookeeperTestServer::silent(bool yes) {
  std::lock_guard lock(mutex_);
  silent_ = yes;
}
void ZookeeperTestServer::answer_with(const std::string& bytes) {
  std::lock_guard lock(mutex_);
  raw_ = bytes;
}
std::vector<std::string> ZookeeperTestServer::identities() const {
  std::lock_guard lock(mutex_);
  return identities_;
}
std::size_t ZookeeperTestServer::sessions() const {
  std::lock_guard lock(mutex_);
  return sessions_;
}
std::size_t ZookeeperTestServer::goodbyes() const {
  std::lock_guard lock(mutex_);
  return goodbyes_;
}

}  // namespace standpipe::testing
