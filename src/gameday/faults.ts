import { z } from 'zod'
import { oneOf, type One } from './one-of.js'
import { siteFileName } from './site-file.js'
import { lasting, span } from './span.js'

/** What a request is known by: `PUT managedClusters`, a method and a part of the path; or `PUT /regular expression/`. */
export const call = z
  .string()
  .regex(/^[A-Z]+ \S.*$/, 'a call is a method and a part of its path, as in PUT managedClusters')
  .describe('Method and a part of the path, or a regular expression between slashes: `PUT managedClusters`')

const times = z.number().int().positive().default(1).describe('How many of them it befalls')

/** The operations of a world that a client of Azure begins, and those that go on by themselves. */
export const operations = [
  'cluster create', 'cluster update', 'cluster delete', 'group create', 'group delete', 'network', 'subnet', 'subnet delete', 'security group',
  'interface', 'public address', 'nat gateway', 'identity', 'role assignment', 'resource', 'vm create', 'vm update', 'vm delete', 'first boot',
  'start', 'power off', 'deallocate', 'runCommand', 'disk', 'disk delete', 'snapshot', 'move', 'validate move', 'detach', 'attach',
  'zpool export', 'zpool import', 'dns', 'pods',
] as const

const operation = z.enum(operations).describe('Operation of the world')
const on = z.string().min(1).optional().describe('Only those on what has this in its id, or in the id of what it changes besides')

const partOfPool = z
  .string()
  .regex(/^\d{1,3}%$/, 'a part of the pool, as in 98%')
  .refine((part) => Number.parseInt(part, 10) <= 100, 'a pool takes at most 100%')

const machine = z.string().min(1)

const onRequests = { call: call.optional().describe('The requests that it befalls. Without it: the one that `when` waits for'), times }

/** Every fault that a scenario can name, with what it takes. */
export const faultKinds = {
  // On the way to Azure, and back.
  refuse: z
    .strictObject({
      ...onRequests,
      status: z.number().int().min(400).max(599).describe('HTTP status, 400 to 599'),
      code: z.string().default('InternalServerError').describe("Azure's code for it"),
      message: z.string().default('A fault of this game day.'),
      retryAfter: span.optional().describe("How long to wait, as the answer says it; the world's time"),
    })
    .describe('A request is refused before it is looked at'),
  reset: z.strictObject(onRequests).describe('The connection breaks before the request comes through'),
  loseReply: z.strictObject(onRequests).describe('The request is carried out, and its answer is lost'),
  slow: z.strictObject({ ...onRequests, by: lasting }).describe('The answer takes that much longer'),
  // What Azure and the machines do for long.
  failOperation: z
    .strictObject({
      operation, on, times,
      code: z.string().default('InternalExecutionError').describe("Azure's code for it"),
      message: z.string().default('An internal execution error occurred. Please retry later.'),
    })
    .describe('An operation fails at its end. A move of two disks has moved one of them by then'),
  prolong: z
    .strictObject({ operation, on, times, to: lasting })
    .describe('An operation takes that long. Much longer than any deadline: it hangs'),
  // Machines.
  silence: machine.describe('The operating system of a machine (`NAME` or `GROUP/NAME`) answers nobody any more, though the machine runs and writes on. Fires with whoever wants something of it: ssh, a run command, a mount'),
  wake: machine.describe('A machine that was silent answers again. Counts as met when it is inflicted'),
  powerOff: machine.describe('Somebody stops a machine at the portal: it goes down, and exports nothing. Counts as met when Azure does it'),
  powerOn: machine.describe('Somebody starts a machine that was down; it imports what it had, if its disks are still there. Counts as met when Azure does it'),
  // What Azure gives, and to whom.
  subscription: z.enum(['disabled', 'enabled']).describe('The subscription is disabled: it only reads until it is enabled again. Fires with a write that is refused; `enabled` counts as met when it is inflicted'),
  quota: z
    .strictObject({ of: z.string().min(1).describe('`cores` of the region, or a family as `standardESv3Family`'), limit: z.number().int().nonnegative() })
    .describe('vCPUs that may be used from now on, those in use among them. Fewer of them fire with whoever is refused some, or does not begin for want of them; more count as met when they are inflicted'),
  noCapacity: z.string().min(1).describe('A size of machines that cannot be had any more, `Standard_E16s_v3`. Fires with whoever is refused one, or does not begin for want of it'),
  capacity: z.string().min(1).describe('A size that could not be had can be had again. Counts as met when it is inflicted'),
  lock: z
    .strictObject({ group: z.string().min(1), level: z.enum(['ReadOnly', 'CanNotDelete']) })
    .describe('Somebody puts a management lock on a resource group. Fires with what it refuses, or with a run that sees it and stops'),
  unlock: z.string().min(1).describe('Somebody takes the lock of this game day off that resource group. Counts as met when it is inflicted'),
  login: z.enum(['refused', 'restored', 'revoked']).describe("The tool's login is taken back or given again; `revoked`: tokens that are out are not believed any more. Fires with a login or a token that is refused; `restored` counts as met when it is inflicted"),
  // The cluster and its hubs.
  apiServer: z
    .strictObject({ cluster: z.string().min(1), is: z.enum(['away', 'back']) })
    .describe('The API server of a managed cluster answers nobody; what runs on its nodes goes on. Fires with a request that it does not answer; `back` counts as met when it is inflicted'),
  podsTake: z
    .strictObject({ namespace: z.string().min(1), time: lasting })
    .describe('The pods of a namespace take that long until they are ready, from their start: images, a pre-puller, a container that crashes. Fires when they start'),
  pods: z
    .strictObject({
      namespace: z.string().min(1),
      workload: z.string().min(1).default('hub').describe('The Deployment that they are of'),
      are: z.enum(['crashing', 'without-image', 'well']),
    })
    .describe('Pods crash as soon as they start, or their image cannot be had; those that are ready already go on. Fires when one of them should have been ready; `well` counts as met when it is inflicted'),
  program: z.strictObject({ dies: z.enum(['helm', 'ssh', 'kubectl']) }).describe("A program that the tool has started is killed on the operator's machine"),
  certificateTakes: z
    .strictObject({ hub: z.string().min(1), time: lasting })
    .describe("A hub's own certificate takes that long, from when its name leads to it. Fires with whoever is shown another one meanwhile"),
  nameServer: z
    .strictObject({ name: z.string().min(1), is: z.enum(['silent', 'behind', 'back']) })
    .describe('A name server of a zone answers nobody, or goes on with what it tells now whatever is changed (`behind`); `back`: as it should be. Fires with a question that it does not answer as it should; `back` counts as met when it is inflicted'),
  // Storage.
  fill: z
    .strictObject({ pool: z.string().min(1), to: partOfPool })
    .describe('A pool fills up. Counts as met when it is inflicted'),
  degrade: z.string().min(1).describe('A pool loses a device: its health is DEGRADED. Counts as met when it is inflicted'),
  // Others.
  somebody: z
    .strictObject({
      does: call.describe('Method and path; `/resourceGroups/…` is one of the subscription'),
      body: z.record(z.string(), z.unknown()).default({}),
    })
    .describe('Another client of Azure does something: a colleague at the portal, a pipeline. Counts as met when Azure takes it'),
  writes: z
    .strictObject({ env: z.string().min(1), file: siteFileName, text: z.string() })
    .describe("Somebody writes a file of the site, in a folder that the world's `env` names. Counts as met when it is inflicted"),
  onlyPeopleSee: z.string().min(1).describe('What no check of the runbook sees, and people do who try it: the operator answers to it. It changes nothing, and counts as met when its moment comes: what is put to the test is what the operator does then'),
  // The operator.
  shell: z
    .record(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'a name of the environment has capitals, digits and _'), z.string())
    .refine((variables) => Object.keys(variables).length > 0, 'no variable is named here')
    .describe("The operator's shell has these variables from the next command on: a wrong KUBECONFIG, another subscription. Counts as met with that command"),
  clock: z
    .strictObject({ set: z.enum(['forward', 'back']), by: lasting.describe("The machine's own time, whatever the world's does") })
    .describe("Somebody sets the clock of the operator's machine. Fires under a command that is at work, or with the next one"),
  sshBreaks: z.strictObject({ times }).describe('The next connections by ssh break while a command runs on the host; what was begun there goes on'),
  colleague: z
    .literal('begins')
    .describe('A colleague begins the same failover on a machine of their own, with `--yes`, while the operator goes on. What became of it is told on the scorecard. Counts as met when it begins'),
  laptop: z.literal('dies').describe('The program is killed as by SIGKILL, and with it the terminal. What it has sent goes on'),
} as const

/** A fault as it is told to whoever inflicts it. */
export type Infliction = One<typeof faultKinds>

const step = z.string().min(1).describe('Id of a step of the runbook')

/** What a step can be seen at. */
export const moments = ['started', 'applying', 'applied', 'verified', 'retrying', 'failed', 'asked'] as const

export const whenSchema = z
  .strictObject({
    after: span.optional().describe("After the first command; beside another key, so long after that moment (the world's time)"),
    step: step.optional(),
    is: z.enum(moments).optional().describe('What has just become of the step: `applying` is from its intent in the journal on. A gate and a manual step are only `asked`; one that only checks (`http/check`), or finds all as wanted, is never `applying` nor `applied`'),
    at: z
      .string()
      .regex(/^\d{1,2}%$/, 'a part of the time that the plan expects the step to take, as in 50%')
      .optional()
      .describe("So much of the step's expected time after its intent, `0%` to `99%`; of a step that has one"),
    call: call.optional().describe('A request to Azure, when it comes in; or what another door has in its access log, which it has when it is over: `EXEC zpool import` (a command on a machine), `QUERY` (a name server), `CONNECT` (the proxy). In the midst of an import is `operation: zpool import`'),
    operation: operation.optional(),
    nth: z.number().int().positive().optional().describe('Which of the calls or operations, counted from the first command; 1 without it'),
    fault: z.string().optional().describe('Id of another fault: once that one has been inflicted'),
  })
  .refine((when) => occasionsOf(when) === 1 || (occasionsOf(when) === 0 && when.after !== undefined), {
    message: 'it is one of: step (with is or at), call, operation, fault, or only after',
  })
  .refine(({ step: of, is, at }) => (of === undefined) === (is === undefined && at === undefined), 'step goes with is or at')
  .refine(({ is, at }) => is === undefined || at === undefined, 'is and at exclude each other')
  .refine(({ nth, call: of, operation: kind }) => nth === undefined || of !== undefined || kind !== undefined, 'nth counts calls or operations')

type Occasion = 'step' | 'call' | 'operation' | 'fault'

function occasionsOf({ step: of, call: sent, operation: begun, fault }: { readonly [K in Occasion]?: string | undefined }): number {
  return [of, sent, begun, fault].filter((one) => one !== undefined).length
}

export const faultSchema = z.strictObject({
  id: z.string().regex(/^[A-Za-z][\w-]*$/, 'an id begins with a letter and goes on with letters, digits, - and _').describe('How it is called on the scorecard'),
  when: whenSchema,
  do: oneOf(faultKinds, 'fault'),
})

export type Fault = z.output<typeof faultSchema>
export type When = Fault['when']
