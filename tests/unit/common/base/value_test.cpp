#include "common/base/value.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace cicd;

TEST_CASE("an object keeps the order of its members, and equality does not ask for it") {
    Object object{{"b", 1}, {"a", 2}};
    object.set("b", 3);
    CHECK(object.begin()->first == "b");
    CHECK(object.size() == 2);
    CHECK(object == Object{{"a", 2}, {"b", 3}});
    CHECK(object.erase("b"));
    CHECK_FALSE(object.erase("b"));
    CHECK(object.find("A") == nullptr);
    CHECK(Object::of_unique({{"x", 1}, {"y", 2}}) == Object{{"y", 2}, {"x", 1}});
}

TEST_CASE("identity is that of the instance, equality that of the contents") {
    const Value one(Array{1, "x"});
    const Value copy = one;
    const Value other(Array{1, "x"});
    CHECK(one.same_instance(copy));
    CHECK_FALSE(one.same_instance(other));
    CHECK(one == other);
    CHECK_FALSE(Value(std::numeric_limits<double>::quiet_NaN()).same_instance(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("a missing member is null, also of what is no object") {
    const Value object(Object{{"k", Object{{"deep", true}}}});
    CHECK(object["k"]["deep"].as_bool());
    CHECK(object["none"]["deeper"].is_null());
    CHECK(Value(1)["k"].is_null());
}

TEST_CASE("numbers are written as JavaScript writes them") {
    CHECK(number_text(3) == "3");
    CHECK(number_text(0.5) == "0.5");
    CHECK(number_text(-0.0) == "0");
    CHECK(number_text(1e21) == "1e+21");
    CHECK(number_text(1e-7) == "1e-7");
    CHECK(number_text(0.000001) == "0.000001");
    CHECK(number_text(1e20) == "100000000000000000000");
    CHECK(number_text(std::numeric_limits<double>::infinity()) == "Infinity");
}
