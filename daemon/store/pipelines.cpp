#include "daemon/store/rows.hpp"

namespace cicd::store {

namespace {

const std::string pipeline_select =
    "SELECT p.number, p.name, p.description, p.state, p.version, p.repository, p.file, v.definition, p.created_by, "
    "p.created, p.updated FROM pipelines p JOIN pipeline_versions v ON v.pipeline = p.number AND v.version = p.version";

Result<model::PipelineRecord> pipeline_of(Query& row) {
    model::PipelineRecord pipeline;
    pipeline.id = id_of<PipelineTag>(row.number(0));
    pipeline.name = row.text(1);
    pipeline.description = row.text(2);
    CICD_TRY(pipeline.state, enum_of<model::PipelineState>(row.text(3)));
    pipeline.version = static_cast<int>(row.number(4));
    pipeline.repository = row.text(5);
    pipeline.file = row.text(6);
    pipeline.definition = row.text(7);
    pipeline.created_by = row.text(8);
    pipeline.created_time = row.time(9).value_or(Timestamp());
    pipeline.updated_time = row.time(10).value_or(Timestamp());
    return pipeline;
}

Error no_such_pipeline(const std::string& id) {
    return not_found("PIPELINE_001", "there is no pipeline '" + id + "'", "list them with: cicdctl pipeline list");
}

Result<std::int64_t> pipeline_number(const PipelineId& id) {
    if (const auto number = number_of(id)) return *number;
    return no_such_pipeline(id.str());
}

Result<void> refuse_taken(Connection& from, const std::string& name, std::int64_t number) {
    auto query = from.query("SELECT number FROM pipelines WHERE name = ? AND number <> ?");
    if (query.with(name, number).next())
        return conflict("PIPELINE_010", "the name '" + name + "' is taken by pipeline-" +
                                            std::to_string(query.number(0)),
                        "choose another name, or update that pipeline");
    return {};
}

void add_version(Connection& to, std::int64_t number, int version, const std::string& definition,
                 const std::string& user, Timestamp time) {
    to.query("INSERT INTO pipeline_versions VALUES (?,?,?,?,?)").with(number, version, definition, user, time).run();
}

}  // namespace

Result<void> Store::create_pipeline(const model::PipelineRecord& pipeline) {
    return guarded("store the pipeline", [&]() -> Result<void> {
        CICD_TRY(const auto number, pipeline_number(pipeline.id));
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        CICD_CHECK(refuse_taken(state_->writer, pipeline.name, number));
        state_->writer.query("INSERT INTO pipelines VALUES (?,?,?,?,?,?,?,?,?,?)")
            .with(number, pipeline.name, pipeline.description, to_text(pipeline.state), pipeline.version,
                  pipeline.repository, pipeline.file, pipeline.created_by, pipeline.created_time,
                  pipeline.updated_time)
            .run();
        add_version(state_->writer, number, pipeline.version, pipeline.definition, pipeline.created_by,
                    pipeline.created_time);
        transaction.commit();
        return {};
    });
}

Result<void> Store::update_pipeline(const model::PipelineRecord& pipeline) {
    return guarded("store the pipeline", [&]() -> Result<void> {
        CICD_TRY(const auto number, pipeline_number(pipeline.id));
        const std::lock_guard lock(state_->mutex);
        auto transaction = writing(state_->writer);
        CICD_CHECK(refuse_taken(state_->writer, pipeline.name, number));
        auto version = 0;
        std::string definition;
        {
            auto now = state_->writer.query(
                "SELECT p.version, v.definition FROM pipelines p JOIN pipeline_versions v "
                "ON v.pipeline = p.number AND v.version = p.version WHERE p.number = ?");
            if (!now.with(number).next()) return no_such_pipeline(pipeline.id.str());
            version = static_cast<int>(now.number(0));
            definition = now.text(1);
        }
        if (definition != pipeline.definition)
            add_version(state_->writer, number, ++version, pipeline.definition, pipeline.created_by,
                        pipeline.updated_time);
        state_->writer
            .query("UPDATE pipelines SET name = ?, description = ?, state = ?, version = ?, repository = ?, file = ?, "
                   "updated = ? WHERE number = ?")
            .with(pipeline.name, pipeline.description, to_text(pipeline.state), version, pipeline.repository,
                  pipeline.file, pipeline.updated_time, number)
            .run();
        transaction.commit();
        return {};
    });
}

Result<void> Store::remove_pipeline(const PipelineId& id) {
    return guarded("remove the pipeline", [&]() -> Result<void> {
        CICD_TRY(const auto number, pipeline_number(id));
        const std::lock_guard lock(state_->mutex);
        if (state_->writer.query("DELETE FROM pipelines WHERE number = ?").with(number).run() == 0)
            return no_such_pipeline(id.str());
        return {};
    });
}

Result<model::PipelineRecord> Store::pipeline(const std::string& id_or_name) {
    return guarded("read the pipeline", [&]() -> Result<model::PipelineRecord> {
        auto reader = state_->readers.lend();
        {
            auto by_name = reader->query(pipeline_select + " WHERE p.name = ?");
            if (by_name.with(id_or_name).next()) return pipeline_of(by_name);
        }
        auto by_number = reader->query(pipeline_select + " WHERE p.number = ?");
        const auto number = number_of(id_or_name, PipelineTag::prefix);
        if (!number || !by_number.with(*number).next()) return no_such_pipeline(id_or_name);
        return pipeline_of(by_number);
    });
}

Result<contract::Page<model::PipelineRecord>> Store::pipelines(int page_number, int page_size) {
    return guarded("list pipelines", [&]() -> Result<contract::Page<model::PipelineRecord>> {
        CICD_CHECK(check_page(page_number, page_size));
        auto reader = state_->readers.lend();
        const SQLite::Transaction snapshot(reader->database());
        contract::Page<model::PipelineRecord> page;
        auto count = reader->query("SELECT count(*) FROM pipelines");
        count.next();
        page.pagination = pagination(page_number, page_size, count.number(0));
        auto query = reader->query(pipeline_select + " ORDER BY p.name LIMIT ? OFFSET ?");
        query.with(page_size, static_cast<std::int64_t>(page_number - 1) * page_size);
        while (query.next()) {
            CICD_TRY(auto pipeline, pipeline_of(query));
            page.data.push_back(std::move(pipeline));
        }
        return page;
    });
}

Result<std::vector<PipelineVersion>> Store::pipeline_versions(const PipelineId& id) {
    return guarded("list versions", [&]() -> Result<std::vector<PipelineVersion>> {
        CICD_TRY(const auto number, pipeline_number(id));
        auto reader = state_->readers.lend();
        auto query = reader->query(
            "SELECT version, definition, created_by, created FROM pipeline_versions WHERE pipeline = ? "
            "ORDER BY version DESC");
        query.with(number);
        std::vector<PipelineVersion> versions;
        while (query.next())
            versions.push_back({static_cast<int>(query.number(0)), query.text(1), query.text(2),
                                query.time(3).value_or(Timestamp())});
        if (versions.empty()) return no_such_pipeline(id.str());
        return versions;
    });
}

}  // namespace cicd::store
