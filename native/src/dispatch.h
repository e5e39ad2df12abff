// Every operator registered with libtorch, by name: the whole of the library behind one function.
#pragma once

#include <napi.h>

namespace topofr {

// operator(name): a JavaScript function over all overloads of "aten::add". Positional arguments follow the schema; one
// trailing plain object gives arguments by (camelCase) name.
// schemas(name): the registered schemas, for the generator of the TypeScript signatures.
// operatorNames(): all registered names.
void defineDispatch(Napi::Env env, Napi::Object exports);

}  // namespace topofr
