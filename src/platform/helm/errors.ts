import { LifeboatError, type Blame } from '../../contract/index.js'
import { isDenied, isUnreachable, kubeError, lastLine } from '../kube/errors.js'

interface Meaning {
  readonly says: RegExp
  readonly code: string
  readonly message: (text: string, stderr: string) => string
  readonly hint?: string
  readonly blame?: Blame
  /** Another try may succeed. */
  readonly passing?: true
}

/** What is wrong with a chart or its values, with or without a cluster. */
const ofCharts: readonly Meaning[] = [
  {
    says: /chart requires kubeVersion/,
    code: 'helm.kube-version',
    message: (text) => `the chart is not for this Kubernetes: ${text}`,
    hint: 'Take a version of the chart that is, or make the cluster with a Kubernetes version that the chart takes.',
  },
  {
    says: /found in Chart\.yaml, but missing in charts\/|missing dependencies/i,
    code: 'helm.chart',
    message: (text) => `the chart lacks a chart that it depends on: ${text}`,
    hint: 'Run `helm dependency build` in its folder, once, and keep what comes.',
  },
  {
    says: /values don't meet the specifications of the schema/i,
    code: 'helm.values',
    message: (_, stderr) => `the chart does not take these values: ${schemaFindings(stderr)}`,
    hint: 'Mend the values in the runbook or in its files; the chart says in values.schema.json what it takes.',
  },
]

/** What facts/helm-wire lists, told apart. Order matters: the first that fits is it. */
const ofReleases: readonly Meaning[] = [
  {
    says: /another operation \(install\/upgrade\/rollback\) is in progress/,
    code: 'helm.pending',
    message: () => 'helm says that another operation on this release is in progress',
    hint: 'An interrupted helm leaves this behind, and Lifeboat clears it before it tries again. If somebody else is at work on this release, let them finish.',
    // Worth another look: the step sees the pending revision and recovers before it tries again.
    passing: true,
    blame: 'cloud',
  },
  {
    says: /invalid ownership metadata/i,
    code: 'helm.ownership',
    message: (text) => `an object of this chart belongs to another release, or to none: ${text}`,
    hint: 'Look at who made it: two releases with the same objects in one namespace cannot both be right. What no release owns can be deleted, or given to this one by the labels that helm names.',
  },
  {
    says: /conflict occurred while applying|Apply failed with \d+ conflict/i,
    code: 'helm.conflict',
    message: (text) => `somebody else has changed an object of this release: ${text}`,
    hint: 'Find out who (`kubectl get … --show-managed-fields`); a deployment that still runs elsewhere is a usual one. What they set has to go, or into the values.',
  },
  {
    says: /field not declared in schema|unknown field/i,
    code: 'helm.object',
    message: (text) => `the chart makes an object with a field that Kubernetes does not know: ${text}`,
    hint: 'A typing error in the chart or its values, or a chart for another Kubernetes version.',
  },
  {
    says: /is immutable|field is immutable|updates to .* are forbidden/i,
    code: 'helm.immutable',
    message: (text) => `an object of this release cannot be changed in this way: ${text}`,
    hint: 'What cannot be changed has to be deleted and made anew: a volume that names another NFS server, for one. Make sure first that nothing is lost with it.',
  },
]

const inVain = {
  code: 'helm.timeout',
  hint: 'Look at the pods of this namespace: a slow image pull passes with time, and a resume waits again.',
  blame: 'cloud',
} as const

const ofWaiting: readonly Meaning[] = [
  {
    says: /failed (pre|post)-(install|upgrade|rollback)|hooks? failed|BackoffLimitExceeded/i,
    code: 'helm.hook',
    message: (text) => `a hook of this chart failed: ${text}`,
    hint: 'Look at the Job that it names, and at its pod\'s log.',
  },
  {
    says: /Progress deadline exceeded/i,
    code: 'helm.deadline',
    message: (_, stderr) => `helm gave up before its own timeout, since a deployment did not get on: ${waitedFor(stderr)}`,
    hint: 'Slow image pulls take longer than progressDeadlineSeconds (600 if the chart does not say). The pods go on, and a resume waits for them again. Raise it in the chart.',
  },
  {
    says: /context deadline exceeded|timed out waiting|resource .* not ready/i,
    message: (_, stderr) => `helm waited in vain: ${waitedFor(stderr)}`,
    ...inVain,
  },
]

/** What helm says on standard error about a release; `chart` is its path. Secrets must have been struck out. */
export function helmError(stderr: string, chart?: string): LifeboatError {
  const known = meant(stderr, [...ofCharts, ...ofReleases])
  if (known !== undefined) return known
  // Before the waits: "context deadline exceeded" also ends the message of a server that never answered.
  if (isUnreachable(stderr) || isDenied(stderr)) return kubeError(stderr)
  if (chart !== undefined && isOfTheChart(stderr)) return chartError(stderr, chart)
  return meant(stderr, ofWaiting) ?? new LifeboatError('helm.failed', `helm failed: ${lastLine(stderr)}`, { blame: 'user' })
}

/** Of a helm that was ended, since its hooks and its waiting have taken more together than it is given: it says nothing of that itself. */
export function helmOverdue(cause: LifeboatError): LifeboatError {
  const { code, ...rest } = inVain
  return new LifeboatError(code, `helm waited in vain: ${cause.message}`, { ...rest, cause })
}

/** What helm says of a chart that it cannot render. */
export function chartError(stderr: string, chart: string): LifeboatError {
  return (
    meant(stderr, ofCharts) ??
    new LifeboatError('helm.chart', `the chart ${chart} cannot be rendered: ${lastLine(stderr)}`, {
      blame: 'user',
      hint: `Try \`helm template ${chart}\` with the values of the runbook.`,
    })
  )
}

function isOfTheChart(stderr: string): boolean {
  return /Chart\.yaml|execution error at|template: |parse error at|error converting YAML|YAML parse error|path ".*" not found/i.test(stderr)
}

function meant(stderr: string, meanings: readonly Meaning[]): LifeboatError | undefined {
  const found = meanings.find(({ says }) => says.test(stderr))
  if (found === undefined) return undefined
  const { code, message, hint, blame = 'user', passing } = found
  return new LifeboatError(code, message(telling(stderr, found.says), stderr), {
    blame,
    ...(hint === undefined ? {} : { hint }),
    ...(passing === true ? { retry: {} } : {}),
  })
}

/** The line that says it, as helm puts it last; several lines can follow one that matters. */
function telling(stderr: string, says: RegExp): string {
  const line = stderr.split('\n').findLast((one) => says.test(one))
  return line === undefined ? lastLine(stderr) : lastLine(line)
}

function schemaFindings(stderr: string): string {
  const findings = stderr.split('\n').filter((line) => /^\s*- /.test(line))
  return findings.length === 0 ? lastLine(stderr) : findings.slice(0, 5).map((line) => line.trim().slice(2)).join('; ')
}

/** helm 4 names every resource that was not ready in the end, a line each. */
function waitedFor(stderr: string): string {
  const lines = stderr.split('\n').map((line) => line.trim().replace(/^Error: /, ''))
  const named = lines.filter((line) => /^resource .*not ready/i.test(line))
  return named.length === 0 ? lastLine(stderr) : named.slice(0, 5).join('; ')
}
