#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cicd::test {

/// What a terminal shows after the bytes: as much of ECMA-48 as a live view uses. Every character is one column wide.
class Screen {
public:
    Screen(std::size_t columns, std::size_t rows) : columns_(columns), rows_(rows), lines_(rows) {}

    void feed(std::string_view bytes) {
        for (std::size_t i = 0; i < bytes.size();) {
            if (bytes[i] == '\x1b') {
                i += escape(bytes.substr(i));
                continue;
            }
            const auto byte = static_cast<unsigned char>(bytes[i]);
            const std::size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
            if (byte == '\n') down();
            else if (byte == '\r') x_ = 0;
            else if (byte >= 0x20) put(std::string(bytes.substr(i, length)));
            i += length;
        }
    }

    /// Without spaces at the end of lines.
    [[nodiscard]] std::vector<std::string> lines() const {
        std::vector<std::string> all;
        for (const auto& cells : lines_) {
            std::string line;
            for (const auto& cell : cells) line += cell.empty() ? " " : cell;
            line.erase(line.find_last_not_of(' ') + 1);
            all.push_back(line);
        }
        return all;
    }
    [[nodiscard]] std::string text() const {
        std::string all;
        for (const auto& line : lines()) all += line + "\n";
        return all;
    }
    [[nodiscard]] bool cursor_visible() const { return cursor_; }
    [[nodiscard]] std::size_t scrolled() const { return scrolled_; }

private:
    void put(std::string character) {
        if (x_ == columns_) {
            x_ = 0;
            down();
        }
        auto& line = lines_[y_];
        line.resize(std::max(line.size(), x_ + 1));
        line[x_++] = std::move(character);
    }
    void down() {
        if (y_ + 1 < rows_) {
            ++y_;
            return;
        }
        lines_.erase(lines_.begin());
        lines_.emplace_back();
        ++scrolled_;
    }
    std::size_t escape(std::string_view text) {
        if (text.size() < 2 || text[1] != '[') return std::min<std::size_t>(2, text.size());
        std::size_t end = 2;
        while (end < text.size() && (text[end] < 0x40 || text[end] > 0x7E)) ++end;
        if (end == text.size()) return end;
        const auto argument = std::string(text.substr(2, end - 2));
        const auto number = static_cast<std::size_t>(std::max(1, std::atoi(argument.c_str())));
        switch (text[end]) {
            case 'A': y_ -= std::min(y_, number); break;
            case 'H': x_ = y_ = 0; break;
            case 'K': lines_[y_].resize(std::min(lines_[y_].size(), x_)); break;
            case 'J':
                lines_[y_].resize(std::min(lines_[y_].size(), x_));
                for (auto y = y_ + 1; y < rows_; ++y) lines_[y].clear();
                break;
            case 'h': if (argument == "?25") cursor_ = true; break;
            case 'l': if (argument == "?25") cursor_ = false; break;
            default: break;
        }
        return end + 1;
    }

    std::size_t columns_, rows_, x_ = 0, y_ = 0, scrolled_ = 0;
    bool cursor_ = true;
    std::vector<std::vector<std::string>> lines_;
};

}  // namespace cicd::test
