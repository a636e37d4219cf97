#include "app/tools/avro_client.h"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "app/option_parser.h"
#include "app/tools/tool_environment.h"
#include "base/text.h"
#include "config/known/known.h"
#include "config/properties.h"
#include "io/file_system.h"
#include "net/network.h"
#include "net/tls_options.h"
#include "rpc/avro/event_encoder.h"
#include "rpc/avro/link.h"
#include "sources/spooldir/spooldir_source.h"
#include "standpipe/source.h"

namespace standpipe {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLinesAtOnce = 100;
constexpr std::size_t kReadAtOnce = 64 * 1024;
constexpr milliseconds kLookForFiles{20};

struct Order {
  avro::LinkOptions link;
  milliseconds request_timeout{20'000};
  std::size_t batch_size = kLinesAtOnce;
  std::string file;
  std::string folder;
  std::string header_file;
  bool help = false;
};

// -- the command line -------------------------------------------------------------------------------------------------

enum Switch : int { kHost, kPort, kFile, kFolder, kHeaders, kProperties, kHelp };
constexpr SwitchSpec kSwitches[] = {
    {kHost, "H", "host", true},     {kPort, "p", "port", true},          {kFile, "F", "filename", true},
    {kFolder, "", "dirname", true}, {kHeaders, "R", "headerFile", true}, {kProperties, "P", "rpcProps", true},
    {kHelp, "h", "help", false},
};

Result<Settings::Map> read_properties(const std::string& path) {
  TRY_ASSIGN(const std::string bytes, read_file(real_file_system(), path));
  Diagnostics unheeded;
  Settings::Map values;
  for (const PropertyLine& line : parse_properties(bytes, 0, path, unheeded)) values[line.key] = line.value;
  return values;
}

Result<std::uint16_t> port_of(std::string_view text) {
  const auto port = parse_integer(text);
  if (!port || *port < 1 || *port > 65535) return Status(Code::invalid, fmt::format("'{}' is no port", text));
  return static_cast<std::uint16_t>(*port);
}

/// "hosts = h1", "hosts.h1 = host:port" and the client's other settings.
Status apply_rpc_properties(const std::string& path, Order& order) {
  TRY_ASSIGN(Settings::Map values, read_properties(path));
  for (auto& [key, value] : values) value = std::string(trim(value));
  const auto& known = find_property_group("rpc client default")->options;
  std::vector<Option> options(known.begin(), known.end());
  for (Option& option : options) option.required = false;  // an address that is missing is told below
  for (const Option& ours : {tls_options::kVerifyHostname, tls_options::kClientKeystore, tls_options::kKeystorePassword,
                             tls_options::kKeystoreType, tls_options::kDeflateOutside}) {
    options.push_back(ours);
  }
  const ComponentInfo info{.kind = ComponentKind::sink, .name = "rpc client", .options = options};
  const auto settings = Settings::parse(info, std::move(values));
  if (!settings.ok()) return settings.status().with_context(path);
  const std::string type = to_lower(settings->text("client.type"));
  if (type != "default") return {Code::invalid, fmt::format("{}: client.type = {}: only default is here", path, type)};
  const auto tls = tls_options::client(*settings, process_log());
  if (!tls.ok()) return tls.status().with_context(path);
  order.link.tls = *tls;
  order.link.deflate_outside_tls = settings->boolean("deflate-outside-tls");
  const std::vector<std::string> hosts = settings->list("hosts");
  const std::string address = hosts.empty() ? "" : settings->optional_text("hosts." + hosts.front()).value_or("");
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) {
    return {Code::invalid, path + ": hosts must name a server, and hosts.<name> its address as host:port"};
  }
  order.link.peer.host = address.substr(0, colon);
  TRY_ASSIGN(order.link.peer.port, port_of(address.substr(colon + 1)));
  order.link.peer.timeout = settings->duration("connect-timeout");
  order.request_timeout = settings->duration("request-timeout");
  order.batch_size = static_cast<std::size_t>(settings->integer("batch-size"));
  if (settings->choice("compression-type") == "deflate") {
    order.link.deflate_level = static_cast<int>(settings->integer("compression-level"));
  }
  return {};
}

Result<Order> parse(std::span<const std::string> arguments) {
  TRY_ASSIGN(const ParsedLine line, parse_switches(kSwitches, arguments));
  Order order;
  std::string properties;
  for (const auto& [id, value] : line.switches) {
    switch (id) {
      case kHost: order.link.peer.host = value; break;
      case kPort: {
        TRY_ASSIGN(order.link.peer.port, port_of(value));
        break;
      }
      case kFile: order.file = value; break;
      case kFolder: order.folder = value; break;
      case kHeaders: order.header_file = value; break;
      case kProperties: properties = value; break;
      default: order.help = true; break;
    }
  }
  if (order.help) return order;
  if (!line.rest.empty()) return Status(Code::invalid, fmt::format("what is '{}'?", line.rest.front()));
  if (!properties.empty()) TRY(apply_rpc_properties(properties, order));
  if (order.link.peer.host.empty() || order.link.peer.port == 0) {
    return Status(Code::invalid, "say where to send: --host and --port, or --rpcProps FILE");
  }
  if (!order.file.empty() && !order.folder.empty()) {
    return Status(Code::invalid, "--filename and --dirname exclude each other");
  }
  return order;
}

// -- sending ----------------------------------------------------------------------------------------------------------

class NothingToSettle final : public LeaseBackend {
 public:
  Status commit(std::size_t, std::size_t) override { return {}; }
  void give_back(std::size_t, std::size_t) override {}
};

/// Sends batch after batch and waits for each answer. As an ingest it is what a source hands its batches to.
class Sender final : public Ingest {
 public:
  Sender(Environment& environment, const Order& order, Headers headers)
      : environment_(environment),
        request_timeout_(order.request_timeout),
        headers_(std::move(headers)),
        link_(*environment.network, order.link, [] {}) {}

  Status connect() {
    link_.open();
    for (;;) {
      const avro::Link::View view = link_.view();
      if (view.phase == avro::Link::Phase::failed) return view.failure;
      if (view.phase != avro::Link::Phase::connecting) return {};
      link_.wait_for_news(environment_.clock, Clock::Steady::max());  // the attempt has a deadline of its own
    }
  }

  Receipt deliver(Batch batch) override {
    if (!failed_) failure_ = send(std::move(batch));
    failed_ = !failure_.ok();
    return Receipt::completed(failure_);
  }

  Status send(Batch batch) {
    if (batch.empty()) return {};
    batch.change_headers([this](Headers& headers) {
      for (const auto& [name, value] : headers_) headers.set(name, value);
    });
    const auto frozen = std::make_shared<const Batch>(std::move(batch));
    const Lease lease({{frozen, 0, frozen->size()}}, std::make_unique<NothingToSettle>());
    const avro::RequestExtent extent = avro::measure_batch(lease, std::numeric_limits<std::int32_t>::max());
    if (extent.events < lease.size()) return {Code::invalid, "more than 2 GiB in one request: make batch-size smaller"};
    ++serial_;
    link_.send(serial_, avro::encode_batch(lease, extent, serial_, environment_.budget, true));
    link_.flush();
    return wait_for_answer();
  }

  /// Any thread.
  bool failed() const { return failed_; }
  const Status& failure() const { return failure_; }

 private:
  Status wait_for_answer() {
    const Clock::Steady deadline = environment_.clock.steady_now() + request_timeout_;
    while (environment_.clock.steady_now() < deadline) {
      const avro::Link::View view = link_.view();
      const auto answers = link_.take_answers();
      if (view.phase == avro::Link::Phase::failed && answers.empty()) return view.failure;
      if (view.phase == avro::Link::Phase::failed) view.failure.ignore();  // it has answered before
      if (!answers.empty()) return answers.front().status;
      link_.wait_for_news(environment_.clock, deadline);
    }
    return {Code::timeout, fmt::format("no answer in {} ms", request_timeout_.count())};
  }

  Environment& environment_;
  const milliseconds request_timeout_;
  const Headers headers_;
  avro::Link link_;
  std::int32_t serial_ = 0;
  std::atomic<bool> failed_ = false;
  Status failure_;
};

/// Lines as Java's readers see them: LF, CR or both end one.
class LineReader {
 public:
  explicit LineReader(std::istream& input) : input_(input) {}

  bool next(std::string& line) {
    line.clear();
    for (;;) {
      if (at_ == size_ && !refill()) return !line.empty();
      if (std::exchange(skip_line_feed_, false) && chunk_[at_] == '\n') {
        ++at_;
        continue;
      }
      const std::string_view rest(chunk_.data() + at_, size_ - at_);
      const std::size_t end = rest.find_first_of("\r\n");
      line += rest.substr(0, end);
      if (end == std::string_view::npos) {
        at_ = size_;
        continue;
      }
      skip_line_feed_ = rest[end] == '\r';
      at_ += end + 1;
      return true;
    }
  }

 private:
  bool refill() {
    input_.read(chunk_.data(), static_cast<std::streamsize>(chunk_.size()));
    at_ = 0;
    size_ = static_cast<std::size_t>(input_.gcount());
    return size_ > 0;
  }

  std::istream& input_;
  std::vector<char> chunk_ = std::vector<char>(kReadAtOnce);
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  bool skip_line_feed_ = false;
};

/// `name`: of the input, for people.
Status send_lines(std::istream& input, const std::string& name, std::size_t batch_size, Sender& sender) {
  LineReader reader(input);
  std::string line;
  for (bool more = true; more;) {
    Batch batch;
    while (batch.size() < batch_size && (more = reader.next(line))) batch.add_copy(line);
    TRY(sender.send(std::move(batch)));
  }
  // The end of what could be read need not be the end of the input.
  if (input.bad()) return {Code::io, fmt::format("{} could not be read to its end: what came before was sent", name)};
  return {};
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

/// What a spooling directory source would still read, by its defaults.
bool has_work(const std::string& folder) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename();
    if (entry.is_regular_file(ignored) && !name.starts_with(".") && !name.ends_with(".COMPLETED")) return true;
  }
  return false;
}

/// The spooling directory source does the work, files renamed and all, until nothing is left to do or something failed.
Status send_folder(const Order& order, Environment& environment, Sender& sender) {
  if (!is_folder(order.folder)) return {Code::not_found, order.folder + " is no folder"};
  const auto settings =
      Settings::parse(kSpooldirInfo, {{"spoolDir", order.folder}, {"batchSize", std::to_string(order.batch_size)}});
  if (!settings.ok()) return settings.status();
  TRY_ASSIGN(const auto source, kSpooldirSource.create(*settings, environment));
  Status ran = source->start(sender);
  if (ran.ok()) {
    std::stop_source done;
    const std::jthread watch([&](std::stop_token ended) {
      while (!ended.stop_requested() && !sender.failed() && has_work(order.folder)) {
        std::this_thread::sleep_for(kLookForFiles);  // the source waits for more files and tells nobody
      }
      done.request_stop();
    });
    ran = source->run(done.get_token());
  }
  source->stop();
  TRY(ran);
  return sender.failure();
}

Status run(const Order& order, Environment& environment) {
  Headers headers;
  if (!order.header_file.empty()) {
    TRY_ASSIGN(const Settings::Map lines, read_properties(order.header_file));
    for (const auto& [name, value] : lines) headers.set(name, value);
  }
  Sender sender(environment, order, std::move(headers));
  TRY(sender.connect());
  if (!order.folder.empty()) return send_folder(order, environment, sender);
  if (order.file.empty()) return send_lines(std::cin, "standard input", order.batch_size, sender);
  if (is_folder(order.file)) return {Code::invalid, order.file + " is a folder: name it by --dirname"};
  std::ifstream file(order.file, std::ios::binary);
  if (!file) return {Code::not_found, "can't read " + order.file};
  return send_lines(file, order.file, order.batch_size, sender);
}

int fail(const Status& status) {
  std::fprintf(stderr, "Error: %s\n", status.message().c_str());
  return 1;
}

}  // namespace

std::string avro_client_usage() {
  return R"(Usage: flume-ng avro-client --host H --port P [options]

  -H, --host <name>         where the Avro source listens
  -p, --port <number>
  -P, --rpcProps <file>     the same and more from a property file: hosts = h1, hosts.h1 = host:port,
                            batch-size, connect-timeout, request-timeout, compression-type, compression-level,
                            ssl, truststore, truststore-password, trust-all-certs, keystore, keystore-password,
                            verify-hostname, deflate-outside-tls
  -F, --filename <file>     send the lines of this file; without it and --dirname those of standard input
      --dirname <folder>    send the lines of the files in this folder, and rename each to .COMPLETED
  -R, --headerFile <file>   a property file: headers of every event
  -h, --help                print this text
)";
}

int run_avro_client(std::span<const std::string> arguments) {
  const auto order = parse(arguments);
  if (!order.ok()) {
    fail(order.status());
    std::fputs(avro_client_usage().c_str(), stderr);
    return 1;
  }
  if (order->help) {
    std::fputs(avro_client_usage().c_str(), stdout);
    return 0;
  }
  auto world = ToolEnvironment::make("avro-client");
  if (!world.ok()) return fail(world.status());
  const std::unique_ptr<Network> network = make_network();
  Environment& environment = (*world)->environment();
  environment.network = network.get();
  const Status status = run(*order, environment);
  return status.ok() ? 0 : fail(status);
}

}  // namespace standpipe
