#include "common/base/text.hpp"
#include "common/codec/json.hpp"
#include "daemon/actions/actions.hpp"

#include <array>

/// actions/github-script, for scripts that ask nothing of GitHub's servers. Its names are those of the toolkit's packages
/// core, exec, io and glob, as their documentation describes them.
namespace cicd::actions {
namespace {

constexpr const char* surroundings = R"js(
const fs = require('fs'), path = require('path'), os = require('os'), child = require('child_process'), crypto = require('crypto');
const textOf = value => value === undefined || value === null ? '' : typeof value === 'string' ? value : value instanceof Error ? String(value) : JSON.stringify(value);
const escaped = text => textOf(text).replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
const property = text => escaped(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
const say = (name, message, about = {}) => {
  const names = { title: 'title', file: 'file', startLine: 'line', endLine: 'endLine', startColumn: 'col', endColumn: 'endColumn' };
  const told = Object.entries(about).filter(([key, value]) => names[key] && value !== undefined).map(([key, value]) => names[key] + '=' + property(value));
  console.log('::' + name + (told.length ? ' ' + told.join(',') : '') + '::' + escaped(message));
};
const append = (variable, text) => fs.appendFileSync(process.env[variable], text);
const assign = (variable, name, value) => {
  const end = 'end_' + crypto.randomBytes(12).toString('hex');
  append(variable, name + '<<' + end + '\n' + textOf(value) + '\n' + end + '\n');
};
const inputOf = name => process.env['INPUT_' + name.replace(/ /g, '_').toUpperCase()] || '';
let told = '';
const add = text => { told += text; return core.summary; };
const core = {
  setOutput: (name, value) => assign('GITHUB_OUTPUT', name, value),
  exportVariable: (name, value) => { process.env[name] = textOf(value); assign('GITHUB_ENV', name, value); },
  addPath: folder => { process.env.PATH = folder + path.delimiter + process.env.PATH; append('GITHUB_PATH', folder + '\n'); },
  setSecret: value => say('add-mask', value),
  setFailed: message => { process.exitCode = 1; say('error', message); },
  info: message => console.log(message), debug: message => say('debug', message), isDebug: () => false,
  notice: (message, about) => say('notice', message, about), warning: (message, about) => say('warning', message, about),
  error: (message, about) => say('error', message, about),
  startGroup: name => say('group', name), endGroup: () => say('endgroup', ''),
  group: async (name, body) => { say('group', name); try { return await body(); } finally { say('endgroup', ''); } },
  getInput: (name, options = {}) => {
    const value = inputOf(name);
    if (options.required && !value) throw new Error('Input required and not supplied: ' + name);
    return options.trimWhitespace === false ? value : value.trim();
  },
  getBooleanInput: name => /^true$/i.test(inputOf(name).trim()),
  getMultilineInput: name => inputOf(name).split('\n').map(line => line.trim()).filter(line => line),
  summary: {
    addRaw: (text, line) => add(text + (line ? '\n' : '')), addEOL: () => add('\n'),
    addHeading: (text, level = 1) => add('<h' + level + '>' + text + '</h' + level + '>\n'),
    addCodeBlock: (code, language = '') => add('<pre lang="' + language + '"><code>' + code + '</code></pre>\n'),
    addList: (items, ordered) => add((ordered ? '<ol>' : '<ul>') + items.map(item => '<li>' + item + '</li>').join('') + (ordered ? '</ol>' : '</ul>') + '\n'),
    addLink: (text, href) => add('<a href="' + href + '">' + text + '</a>\n'), addQuote: text => add('<blockquote>' + text + '</blockquote>\n'),
    addSeparator: () => add('<hr>\n'), addBreak: () => add('<br>\n'), addDetails: (label, text) => add('<details><summary>' + label + '</summary>' + text + '</details>\n'),
    addTable: rows => add('<table>' + rows.map(row => '<tr>' + row.map(cell => typeof cell === 'object'
      ? '<' + (cell.header ? 'th' : 'td') + '>' + cell.data + '</' + (cell.header ? 'th' : 'td') + '>' : '<td>' + cell + '</td>').join('') + '</tr>').join('') + '</table>\n'),
    stringify: () => told, isEmptyBuffer: () => told === '', emptyBuffer: () => { told = ''; return core.summary; },
    write: async () => { append('GITHUB_STEP_SUMMARY', told); told = ''; return core.summary; },
  },
};
const run = (line, words = [], options = {}) => new Promise((done, failed) => {
  const program = words.length ? child.spawn(line, words, { cwd: options.cwd, env: options.env }) : child.spawn('sh', ['-c', line], { cwd: options.cwd, env: options.env });
  let stdout = '', stderr = '';
  program.stdout.on('data', piece => { stdout += piece; if (!options.silent) process.stdout.write(piece); if (options.listeners?.stdout) options.listeners.stdout(piece); });
  program.stderr.on('data', piece => { stderr += piece; if (!options.silent) process.stderr.write(piece); if (options.listeners?.stderr) options.listeners.stderr(piece); });
  program.on('error', failed);
  program.on('close', exitCode => exitCode === 0 || options.ignoreReturnCode ? done({ exitCode, stdout, stderr })
    : failed(new Error("The process '" + line + "' failed with exit code " + exitCode)));
  program.stdin.end(options.input);
});
const exec = { exec: async (...given) => (await run(...given)).exitCode, getExecOutput: run };
const io = {
  mkdirP: async folder => { fs.mkdirSync(folder, { recursive: true }); }, rmRF: async file => fs.rmSync(file, { recursive: true, force: true }),
  cp: async (from, to, options = {}) => fs.cpSync(from, to, { recursive: !!options.recursive, force: options.force !== false }),
  mv: async (from, to) => fs.renameSync(from, to),
  which: async (name, check) => {
    const found = process.env.PATH.split(path.delimiter).map(folder => path.join(folder, name)).find(file => fs.existsSync(file)) || '';
    if (check && !found) throw new Error('Unable to locate executable file: ' + name);
    return found;
  },
};
const known = JSON.parse(process.env.CICD_CONTEXT);
const [owner, name] = known.repository.split('/');
const context = {
  payload: known.event || {}, eventName: known.event_name, sha: known.sha, ref: known.ref, workflow: known.workflow, action: known.action || '',
  actor: known.actor, job: known.job, runNumber: Number(known.run_number), runId: Number(known.run_id), serverUrl: known.server_url,
  apiUrl: known.api_url, graphqlUrl: known.graphql_url, repo: { owner, repo: name },
  get issue() { return { owner, repo: name, number: (this.payload.issue || this.payload.pull_request || this.payload).number }; },
};
const github = new Proxy({}, { get: () => { throw new Error("GitHub's servers are not asked here"); } });
const here = require('module').createRequire(path.join(process.env.GITHUB_WORKSPACE, 'script.js'));
const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;
const script = process.env.CICD_SCRIPT, encoding = process.env.CICD_ENCODING;
delete process.env.CICD_SCRIPT; delete process.env.CICD_CONTEXT; delete process.env.CICD_ENCODING;
new AsyncFunction('require', 'github', 'octokit', 'context', 'core', 'exec', 'io', script)(here, github, github, context, core, exec, io)
  .then(result => core.setOutput('result', encoding === 'string' ? String(result) : JSON.stringify(result)))
  .catch(fault => { console.error(fault); core.setFailed('Unhandled error: ' + fault); });
)js";

/// What leads to GitHub's servers, or is a package that is not here.
bool asks_servers(const std::string& script) {
    constexpr std::array<std::string_view, 6> signs{"github.", "octokit.", "github[", "glob.", "{ rest", "fetch("};
    for (const auto sign : signs)
        for (auto at = script.find(sign); at != std::string::npos; at = script.find(sign, at + 1)) {
            const char before = at == 0 ? ' ' : script[at - 1];
            const bool part_of_word = (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z') || before == '.' || before == '/' || before == '_';
            if (!part_of_word) return true;
        }
    return false;
}

}  // namespace

StepEnd Actions::github_script(int step, const Inputs& inputs) {
    const auto text = input(inputs, "script");
    if (text.empty()) return job_.failure(step, invalid("JOB_002", "Input required and not supplied: script"));
    if (asks_servers(text)) return skip(step, "skipped: the script asks GitHub's servers, which nothing here can answer for");
    const auto encoding = input(inputs, "result-encoding");
    model::Texts env{{"CICD_SCRIPT", text}, {"CICD_CONTEXT", codec::to_json(context_.context("github"))}, {"CICD_ENCODING", encoding}};
    for (const auto& [name, value] : inputs) env.emplace_back(input_variable(name), value);
    auto end = script(step, surroundings, env, "node {0}");
    if (end.exit_code == 127) end.message = "the action needs Node.js, which this machine does not have in PATH";
    return end;
}

}  // namespace cicd::actions
