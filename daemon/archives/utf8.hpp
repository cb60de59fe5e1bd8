#pragma once

#include <clocale>

namespace cicd::archives {

/// libarchive takes names for text of the thread's locale: ours are UTF-8, whatever the program was started with.
class Utf8 {
public:
    Utf8() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(locale_ ? ::uselocale(locale_) : nullptr) {}
    ~Utf8() {
        if (!locale_) return;
        ::uselocale(before_);
        ::freelocale(locale_);
    }
    Utf8(const Utf8&) = delete;
    Utf8& operator=(const Utf8&) = delete;

private:
    locale_t locale_, before_;
};

}  // namespace cicd::archives
