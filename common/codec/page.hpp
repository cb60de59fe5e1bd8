#pragma once

#include "common/codec/fields.hpp"
#include "common/contract/requests.hpp"

namespace cicd::codec {

template <>
struct Fields<contract::Pagination> {
    using T = contract::Pagination;
    static constexpr auto list =
        std::tuple{required("page", &T::page), required("pageSize", &T::page_size),
                   required("totalCount", &T::total_count), required("hasNext", &T::has_next),
                   omitted("nextCursor", &T::next_cursor)};
};

/// `{"data": [...], "pagination": {...}}`
template <class T>
Value write_page(const contract::Page<T>& page) {
    return Object{{"data", write(page.data)}, {"pagination", write(page.pagination)}};
}

template <class T>
Result<contract::Page<T>> read_page(const Value& value) {
    const Path root;
    CICD_CHECK(as_object(value, root));
    contract::Page<T> page;
    CICD_CHECK(read(value["data"], page.data, Path{&root, "data"}));
    CICD_CHECK(read(value["pagination"], page.pagination, Path{&root, "pagination"}));
    return page;
}

}  // namespace cicd::codec
