#include "common/base/base64.hpp"
#include "common/codec/codecs.hpp"
#include "common/codec/fields.hpp"

#include <utility>

/// Secrets. A scope's parts stand beside the name; what is not of one is left out.
namespace cicd::codec {
namespace {

/// As the tables below see them: a scope is part of what has it.
struct SecretFacts : model::Secret {
    std::string project, environment, branch;
};
struct EventFacts : model::SecretEvent {
    std::string project, environment, branch;
};
struct SaveFacts : contract::SaveSecret {
    std::string project, environment, branch, value_base64;
};

template <class Facts, class T>
Facts spread(const T& value) {
    Facts facts;
    static_cast<T&>(facts) = value;
    facts.project = value.scope.project;
    facts.environment = value.scope.environment;
    facts.branch = value.scope.branch;
    return facts;
}

template <class T, class Facts>
T gathered(Facts facts) {
    facts.scope = {std::move(facts.project), std::move(facts.environment), std::move(facts.branch)};
    T value = std::move(static_cast<T&>(facts));
    return value;
}

/// The message that a wrong member gives names its field and no value.
template <class Facts>
Result<Facts> read_strictly(const Value& value) {
    const Path root;
    CICD_TRY(const Object* object, as_object(value, root));
    std::vector<std::string> names;
    std::apply([&](const auto&... field) { (names.emplace_back(field.name), ...); }, Fields<Facts>::list);
    CICD_CHECK(refuse_unknown(*object, names, root));
    return read_whole<Facts>(value);
}

}  // namespace

template <>
struct Fields<SecretFacts> {
    using T = SecretFacts;
    static constexpr auto list =
        std::tuple{Field<T, std::string>{"name", &T::name, Presence::required},
                   omitted("project", &T::project),
                   omitted("environment", &T::environment),
                   omitted("branch", &T::branch),
                   Field<T, int>{"version", &T::version, Presence::required},
                   Field<T, Timestamp>{"createdTime", &T::created_time, Presence::required},
                   Field<T, std::string>{"createdBy", &T::created_by, Presence::shown},
                   Field<T, Timestamp>{"updatedTime", &T::updated_time, Presence::required},
                   Field<T, std::string>{"updatedBy", &T::updated_by, Presence::shown},
                   Field<T, std::optional<Timestamp>>{"rotateBy", &T::rotate_by, Presence::shown},
                   Field<T, std::optional<Timestamp>>{"lastUsedTime", &T::last_used_time, Presence::shown},
                   Field<T, std::string>{"lastUsedBy", &T::last_used_by, Presence::omitted}};
};

template <>
struct Fields<EventFacts> {
    using T = EventFacts;
    static constexpr auto list = std::tuple{Field<T, Timestamp>{"time", &T::time, Presence::required},
                                            Field<T, std::string>{"action", &T::action, Presence::required},
                                            Field<T, std::string>{"name", &T::name, Presence::required},
                                            omitted("project", &T::project),
                                            omitted("environment", &T::environment),
                                            omitted("branch", &T::branch),
                                            Field<T, int>{"version", &T::version, Presence::shown},
                                            Field<T, std::string>{"user", &T::user, Presence::shown}};
};

template <>
struct Fields<SaveFacts> {
    using T = SaveFacts;
    static constexpr auto list =
        std::tuple{Field<T, std::string>{"name", &T::name, Presence::omitted},
                   Field<T, std::string>{"value", &T::value, Presence::omitted},
                   omitted("valueBase64", &T::value_base64),
                   omitted("project", &T::project),
                   omitted("environment", &T::environment),
                   omitted("branch", &T::branch),
                   Field<T, std::optional<Timestamp>>{"rotateBy", &T::rotate_by, Presence::omitted}};
};

template <>
Value encode(const model::Secret& secret) {
    return write(spread<SecretFacts>(secret));
}
template <>
Result<model::Secret> decode(const Value& value) {
    CICD_TRY(auto facts, read_whole<SecretFacts>(value));
    return gathered<model::Secret>(std::move(facts));
}

template <>
Value encode(const model::SecretEvent& event) {
    return write(spread<EventFacts>(event));
}
template <>
Result<model::SecretEvent> decode(const Value& value) {
    CICD_TRY(auto facts, read_whole<EventFacts>(value));
    return gathered<model::SecretEvent>(std::move(facts));
}

template <>
Value encode(const contract::SaveSecret& request) {
    auto facts = spread<SaveFacts>(request);
    if (!is_valid_utf8(facts.value)) facts.value_base64 = to_base64(std::exchange(facts.value, {}));
    return write(facts);
}
template <>
Result<contract::SaveSecret> decode(const Value& value) {
    CICD_TRY(auto facts, read_strictly<SaveFacts>(value));
    if (!facts.value_base64.empty()) {
        auto bytes = from_base64(facts.value_base64);
        const Path root;
        if (!bytes) return wrong(Path{&root, "valueBase64"}, "is no base64");
        facts.value = std::move(*bytes);
    }
    return gathered<contract::SaveSecret>(std::move(facts));
}

}  // namespace cicd::codec
