// The client of a build without libzookeeper-mt-dev: it says so.
#include "clients/zookeeper/client.h"

namespace standpipe::zookeeper {

namespace {
constexpr const char* kLeftOut = "this program was built without ZooKeeper (STANDPIPE_ZOOKEEPER, libzookeeper-mt-dev)";
Status left_out() { return {Code::unavailable, kLeftOut}; }
}  // namespace

class Client::Impl {};

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(const Options&, Log&, OnChange) { return left_out(); }
bool Client::connected() const { return false; }
Status Client::wait_connected() { return left_out(); }
Result<Node> Client::get(const std::string&, Watch) { return left_out(); }
Result<std::vector<std::string>> Client::children(const std::string&, Watch) { return left_out(); }
Status Client::create(const std::string&, std::string_view) { return left_out(); }
Status Client::create_with_parents(const std::string&, std::string_view) { return left_out(); }
Status Client::set(const std::string&, std::string_view, std::int32_t) { return left_out(); }
Status Client::remove(const std::string&, std::int32_t) { return left_out(); }

std::string library_version() { return "no ZooKeeper client: " + std::string(kLeftOut); }

}  // namespace standpipe::zookeeper
