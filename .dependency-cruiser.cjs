// Who may import whom: design §2, rule by rule. `npm run lint` runs it over src/ and test/.

const room = (name) => `^src/${name}/`
const ours = '^src/'

/** A room that may import itself and the rooms listed, nothing else of ours. */
const only = (name, allowed, comment) => ({
  name: `${name}-imports`,
  comment,
  severity: 'error',
  from: { path: room(name) },
  to: { path: ours, pathNot: [room(name), ...allowed.map(room)] },
})

module.exports = {
  forbidden: [
    only('contract', [], 'The contract is types and schemas only.'),
    only('runbook', ['contract'], 'What it needs of others comes as an argument.'),
    only('journal', ['contract'], 'What it needs of others comes as an argument.'),
    only('platform', ['contract'], 'What it needs of others comes as an argument.'),
    only('steps', ['contract', 'platform'], 'Steps see their inputs and the platform, nothing else.'),
    only('engine', ['contract', 'runbook', 'journal'], 'The engine does not know a single step by name.'),
    only('render', ['contract'], 'Renderers see events.'),
    only('gameday', ['contract'], 'Game days talk to the world by its control API; cli hands them the runner.'),
    {
      name: 'oracle-apart',
      comment: 'Whoever judges shares no code with what is judged.',
      severity: 'error',
      from: { path: '^src/gameday/oracle/' },
      to: { path: ours, pathNot: '^src/gameday/oracle/' },
    },
    only('virtual', ['contract', 'platform', 'sim'], 'It joins the doors to a world in this process; cli starts runs in it.'),
    {
      name: 'virtual-for-cli-only',
      comment: 'No door and no world knows that there are models of programs.',
      severity: 'error',
      from: { path: ours, pathNot: ['^src/virtual/', '^src/cli/'] },
      to: { path: '^src/virtual/' },
    },
    only('sim', [], 'A shared misunderstanding must not cancel itself out.'),
    {
      name: 'steps-apart',
      comment: 'A step never imports another; only the registry lists them. What several share is in steps/step.ts and steps/parts.',
      severity: 'error',
      from: { path: '^src/steps/', pathNot: '^src/steps/registry\\.ts$' },
      to: { path: '^src/steps/', pathNot: ['^src/steps/step\\.ts$', '^src/steps/parts/'] },
    },
    {
      name: 'nothing-imports-cli',
      comment: 'cli wires the others; only main starts it.',
      severity: 'error',
      from: { path: ours, pathNot: ['^src/cli/', '^src/main\\.ts$'] },
      to: { path: ['^src/cli/', '^src/main\\.ts$'] },
    },
    {
      name: 'main-imports',
      comment: 'main starts cli, and is the one that shows its errors.',
      severity: 'error',
      from: { path: '^src/main\\.ts$' },
      to: { path: ours, pathNot: [room('cli'), room('render')] },
    },
    {
      name: 'azure-behind-its-door',
      comment: 'Only platform/azure imports @azure/*.',
      severity: 'error',
      from: { path: ours, pathNot: '^src/platform/azure/' },
      to: { path: '(^|/)@azure/' },
    },
    {
      name: 'no-circular',
      comment: 'A cycle is one module in several files.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-production',
      comment: 'An installed tool does not have it; or package.json does not list it at all.',
      severity: 'error',
      from: { path: ours },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'production-imports-no-tests',
      severity: 'error',
      from: { path: ours },
      to: { path: '^test/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types count: a room that needs another's types is not apart from it.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
}
