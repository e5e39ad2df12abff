// Every C++ exception becomes a JavaScript Error with a code; none may cross into Node, where it would abort the process.
#pragma once

#include <c10/util/Exception.h>
#include <napi.h>

#include <algorithm>
#include <string>

namespace topofr {

inline Napi::Error tensorError(Napi::Env env, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Value().Set("code", Napi::String::New(env, "E_TENSOR"));
  return error;
}

// libtorch appends its C++ stack, and for a missing kernel the table of all registered ones: useful to its authors, noise
// to ours.
inline std::string firstParagraph(const std::string& text) {
  return text.substr(0, std::min(text.find("\nException raised from"), text.find("\n\n")));
}

// Runs `body`; `context()` says what was asked, and is only built when something went wrong.
template <typename Body, typename Context>
auto guarded(Napi::Env env, Body&& body, Context&& context) -> decltype(body()) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw tensorError(env, context() + ": " + firstParagraph(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    throw tensorError(env, context() + ": " + firstParagraph(error.what()));
  } catch (...) {
    throw tensorError(env, context() + ": unknown C++ exception");
  }
}

template <typename Body>
auto guarded(Napi::Env env, const char* what, Body&& body) -> decltype(body()) {
  return guarded(env, std::forward<Body>(body), [what] { return std::string(what); });
}

}  // namespace topofr
