#pragma once

#include <string>

namespace standpipe {

/// The home folder of the user that runs the process: HOME, or where that is not set (a service without a login) what
/// the password database says, as the JVM's user.home. "/tmp" where there is neither.
std::string home_directory();

/// "~/a" below the home folder; anything else as it is.
std::string expand_home(std::string path);

}  // namespace standpipe
