export { loadChecked, type CheckedFile, type Complaint } from './checked-file.js'
export { renderDiagnostic, type Diagnostic } from './diagnostic.js'
export { Expression, type Template } from './expression.js'
export { dependents, gatesBefore, needsOf, takersOf } from './graph.js'
export { loadRunbook, type LoadedModules } from './load.js'
export { suggestion } from './near.js'
export { runbookJsonSchema } from './json-schema.js'
export { isModulePath, type BrokenModule, type SiteModulePath } from './modules.js'
export { parseRunbook, type Parsed } from './parse.js'
export { referencedFiles, type PinnedFile, type PinnedFiles } from './files.js'
export { resolveInputs } from './resolve.js'
export { mapSecrets } from './secret-inputs.js'
export type {
  AzureFacts,
  GateNode,
  IncidentMoment,
  ManualNode,
  Node,
  Position,
  Runbook,
  Scope,
  StepNode,
  StepSchema,
  StepSchemas,
} from './types.js'
