import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

const lines = (max) => ['error', { max, skipBlankLines: false, skipComments: false }]

/** Such a key can stop Node 20 for ever when it is exported (src/sim/pki.ts): it must be written down where it is made. */
const keyAsObject = {
  selector: "CallExpression[callee.name='generateKeyPairSync']:not(:has(Property[key.name='privateKeyEncoding']))",
  message: 'Give it encodings, and read the key again: see makePair in src/sim/pki.ts.',
}

const bareError = {
  selector: 'ThrowStatement > NewExpression[callee.name=/^(Error|TypeError|RangeError)$/]',
  message: 'Throw a coded error (contract/error.ts in production code, a class of its own in sim).',
}

/** Time and chance come in as arguments (platform/clock, the world's clock), or nothing can be replayed. */
const timeAndChance = [
  ["CallExpression[callee.object.name='Date'][callee.property.name='now']", 'Date.now()'],
  ["NewExpression[callee.name='Date'][arguments.length=0]", 'new Date()'],
  ["CallExpression[callee.object.name='Math'][callee.property.name='random']", 'Math.random()'],
  ["CallExpression[callee.object.name='performance'][callee.property.name='now']", 'performance.now()'],
  ["CallExpression[callee.object.name='AbortSignal'][callee.property.name='timeout']", 'AbortSignal.timeout()'],
  ['CallExpression[callee.name=/^(setTimeout|setInterval)$/]', 'A bare timer'],
  ['ImportDeclaration[source.value=/^(node:)?timers/]', 'A bare timer'],
].map(([selector, what]) => ({ selector, message: `${what} is for platform/clock only: take a Clock.` }))

/** One owner of the terminal and of the process's end. */
const terminal = [
  {
    selector: "CallExpression[callee.object.name='process'][callee.property.name=/^(exit|abort|reallyExit)$/]",
    message: 'Only main.ts ends the process.',
  },
  {
    selector: "MemberExpression[object.name='process'][property.name='exitCode']",
    message: 'Only main.ts says how the process ends.',
  },
]
const streams = {
  selector: "MemberExpression[object.name='process'][property.name=/^(stdout|stderr)$/]",
  message: 'Only render and main.ts write to the terminal.',
}

export default defineConfig(
  { ignores: ['dist/', 'dist-mutant-*/', 'coverage/', 'node_modules/', 'fixtures/'] },
  { linterOptions: { noInlineConfig: true, reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs', '**/*.ts'],
    rules: {
      'max-lines': lines(400),
      'max-len': ['error', { code: 140, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreRegExpLiterals: true }],
      semi: ['error', 'never'],
      quotes: ['error', 'single', { avoidEscape: true }],
      'comma-dangle': ['error', 'always-multiline'],
      'no-warning-comments': ['error', { terms: ['fixme', 'xxx', 'todo', 'oxlint-disable'] }],
      'prefer-const': 'error',
      eqeqeq: 'error',
    },
  },
  // Read only: the rules that need types are oxlint's (.oxlintrc.json).
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'vitest.config.ts'],
    languageOptions: { parser: tseslint.parser },
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'max-lines-per-function': lines(70),
      'no-console': 'error',
      'no-restricted-syntax': ['error', bareError, keyAsObject, ...timeAndChance, ...terminal, streams],
    },
  },
  // Each of these says all that still holds there: a later block replaces the rule as a whole.
  {
    files: ['src/platform/clock/**', 'src/sim/**'],
    rules: { 'no-restricted-syntax': ['error', bareError, keyAsObject, ...terminal, streams] },
  },
  {
    files: ['src/render/**'],
    rules: { 'no-restricted-syntax': ['error', bareError, keyAsObject, ...timeAndChance, ...terminal] },
  },
  {
    files: ['src/main.ts'],
    rules: { 'no-restricted-syntax': ['error', bareError, keyAsObject, ...timeAndChance] },
  },
)
