const fs = require('fs');
const said = 'hello ' + process.env['INPUT_WHO_TO_GREET'];
if (process.env.INPUT_UNUSED !== 'nothing') process.exit(1);
fs.appendFileSync(process.env.GITHUB_OUTPUT, `said=${said}\n`);
fs.appendFileSync(process.env.GITHUB_STATE, 'number=7\n');
