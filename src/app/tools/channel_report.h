#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "channels/file/inspection.h"
#include "channels/file/key_source.h"
#include "standpipe/status.h"

namespace standpipe {

enum class ReportFormat : unsigned char { text, json };

/// What the verbs that look at a file channel's folders have in common on their command lines.
struct ChannelLook {
  file_channel::Folders folders;
  file_channel::KeySource keys;  ///< --key NAME=FILE, repeatable
  ReportFormat format = ReportFormat::text;
  std::string holder;  ///< who runs on the folders; empty: nobody
};

/// Code::invalid: the command line makes no sense, or the folders are no channel.
Result<ChannelLook> parse_channel_look(std::span<const std::string> arguments);

/// A key of the command line, NAME=FILE.
Status add_key(const std::string& text, file_channel::KeySource& keys);

/// What stands there, as far as the keys open it.
Result<file_channel::Inspection> look_at_channel(const ChannelLook& look, bool read_records);

/// Who holds the lock of a channel's folder, as "process 123, agent a1, channel c1"; empty: nobody. Changes nothing.
std::string holder_of_folder(const std::string& folder);

/// What stands in a channel's folders, as inspect shows it.
std::string render_channel(const file_channel::Inspection& found, const ChannelLook& look, std::int64_t now_ms);
/// What does not check, as verify shows it.
std::string render_damage(const file_channel::Inspection& found, const ChannelLook& look);

/// Whether something is lost that somebody waits for, or may be.
bool is_damaged(const file_channel::Inspection& found);

}  // namespace standpipe
