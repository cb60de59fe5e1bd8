#pragma once

#include <filesystem>

namespace cicd {

/// Where things are, after CICD_STATE_DIR, CICD_SOCKET, XDG_STATE_HOME, XDG_RUNTIME_DIR, XDG_CONFIG_HOME and HOME.
/// The socket is below the state directory, so one state directory is one daemon; CICD_SOCKET names another place
/// (a socket's path holds at most 107 bytes).
std::filesystem::path state_directory();   ///< $CICD_STATE_DIR, else $XDG_STATE_HOME/cicd, else ~/.local/state/cicd
std::filesystem::path socket_path();       ///< $CICD_SOCKET, else state_directory()/cicdd.sock
std::filesystem::path config_directory();  ///< $CICD_CONFIG_DIR, else $XDG_CONFIG_HOME/cicd, else ~/.config/cicd
/// A program of ours: beside the running one, else in ../libexec/cicd or ../lib/cicd, else by PATH.
std::filesystem::path sibling_program(const char* name);

}  // namespace cicd
