'use strict';
const assert = require('assert');
const slug = require('../slug');

const cases = {'Hello, World!': 'hello-world', '  Ünï çode ': 'uni-code', '---': '', 'a_b c': 'a-b-c'};
for (const [title, expected] of Object.entries(cases)) {
  assert.strictEqual(slug(title), expected);
  console.log(`ok ${JSON.stringify(title)} → ${JSON.stringify(expected)}`);
}
