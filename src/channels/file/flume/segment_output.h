#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "channels/file/encryption.h"
#include "channels/file/record.h"
#include "channels/file/segment.h"
#include "standpipe/batch.h"
#include "standpipe/environment.h"

namespace standpipe::file_channel::flume {

/// Writes events one after the other into new segments, for a channel that does not run yet. One thread.
class SegmentOutput {
 public:
  struct Options {
    std::vector<std::string> folders;  ///< of segments, in turn; made if missing
    std::uint64_t channel_id;
    const KeyRing& keys;  ///< outlives this
    std::uint64_t segment_size;
    std::uint64_t minimum_free;
  };
  SegmentOutput(Environment& environment, Options options);

  /// Code::full: none of the file systems has room.
  Status add(const Headers& headers, std::string_view body);
  /// All of it is on the device, names too, when it returns ok.
  Status finish();
  std::uint64_t events() const { return next_; }

 private:
  struct Folder {
    std::string path;
    std::uint64_t last_id = 0;
    std::uint64_t last_end = 0;
  };
  Status write_batch();
  Status write_put(EncodedPut& put);
  Status open_segment(std::size_t needed);
  Status close_segment();
  struct Place {
    std::size_t folder;
    std::uint64_t size;  ///< of the segment
  };
  Result<Place> choose_folder(std::uint64_t needed);

  Environment& environment_;
  Options options_;
  std::vector<Folder> folders_;
  std::size_t turn_ = 0;  // of the folder whose turn it is
  std::unique_ptr<SegmentWriter> writer_;
  std::optional<RecordCipher> cipher_;  // of its segment; none: in clear
  std::string encrypted_;
  std::size_t writing_to_ = 0;
  std::uint64_t next_id_ = 1;
  std::uint64_t next_ = 0;  // number of the next event that is written
  Batch batch_;
  Batch::Block block_ = Batch::kNoHeaders;
};

}  // namespace standpipe::file_channel::flume
