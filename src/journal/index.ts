export { decode, encode, type Decoded, type DecodeOptions } from './codec.js'
export { errnoOf } from './errno.js'
export { fold, Folding, withAgreed } from './fold.js'
export { grownFrom } from './grown.js'
export { defaultStateDir, isNamedFor, newRunId, StateFolder, type RunPaths, type RunRecords, type RunSummary } from './folder.js'
export { Journal, type Opened } from './journal.js'
export {
  heartbeat,
  isLost,
  LockHeldError,
  RunLock,
  type Holder,
  type LockOptions,
  type Processes,
} from './lock.js'
export { atWorkOn, type MarkStore } from './mark-store.js'
export { TargetLock } from './target.js'
export { sayLife } from './target-errors.js'
export type { Mark } from './mark.js'
export type { LockKey, LockOwner } from './lock-file.js'
export { pastRuns, type PastRun, type RunKind } from './past.js'
export type { ChildFacts, JournalRecord, Owner, Pin, RecordData, RecordType } from './records.js'
export { hasBegun, type RunState, type StepState } from './state.js'
export { localStore, type Store } from './store.js'
export type { JournalTail } from './tail.js'
