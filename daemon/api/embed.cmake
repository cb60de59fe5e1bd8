# Writes the text of INPUT into OUTPUT, a C++ file, in pieces that every compiler takes.
file(READ ${INPUT} text)
string(LENGTH "${text}" length)
set(pieces "")
set(at 0)
while(at LESS length)
  string(SUBSTRING "${text}" ${at} 8000 piece)
  string(APPEND pieces "\n    R\"openapi(${piece})openapi\"")
  math(EXPR at "${at} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"daemon/api/openapi.hpp\"\n\nnamespace cicd::api {\n
std::string_view openapi_yaml() {\n    static constexpr char text[] =${pieces};\n    return {text, sizeof text - 1};\n}\n
}  // namespace cicd::api\n")
