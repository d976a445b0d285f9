import { z } from 'zod'
import { oneOf, type One } from './one-of.js'
import { span } from './span.js'

const accept = z.array(z.string().regex(/^[^=]+=[^=]+$/, 'it is STEP=ID, as the failure of the step names it')).default([]).describe('`--accept STEP=ID`')

/** What an operator can do, with what each takes. Named so in `operator.does`. */
export const actKinds = {
  run: z.strictObject({ accept }).describe('Types `run`. A scenario that begins with anything else begins with this all the same'),
  resume: z.strictObject({ accept }).describe('Types `resume` of the run that was begun last'),
  elsewhere: z
    .strictObject({ takeOver: z.boolean().default(false).describe('`--take-over`'), accept })
    .describe('Types `run` on another machine, which has no journal of what was done before'),
  undo: z.strictObject({}).describe('Types `undo` of the run that was begun last'),
  plan: z.strictObject({}).describe('Types `plan`, which only looks. What it shows counts as told'),
  wait: span.describe('Lets so much time pass'),
  advice: z.literal('followed').describe('Does what the command before has said, as far as it is `az aks delete`, `az vm delete`, `az snapshot delete` or `az vm reapply` of something that is there. Other advice is followed by a fault: `unlock`, `powerOn`, `somebody`'),
} as const

export type Act = One<typeof actKinds>

const actSchema = z.union([
  z.enum(['run', 'resume', 'undo', 'plan']).transform((kind): Act => (kind === 'undo' || kind === 'plan' ? { kind, with: {} } : { kind, with: { accept: [] } })),
  oneOf(actKinds, 'deed'),
])

export const questionKinds = ['gate', 'manual', 'failure', 'surprise'] as const

const answerSchema = z
  .strictObject({
    step: z.string().min(1).describe('Id of the step that asks'),
    asks: z.enum(questionKinds).describe('What kind of question it is'),
    answer: z.enum(['go', 'retry', 'done', 'skip', 'stop', 'accept']).describe('`accept` takes the other way that the failure offers; where it offers none, the run is stopped'),
    reason: z.string().default('as this game day has it').describe('Of `skip`'),
    times: z.number().int().positive().default(1).describe('At most how often; once is enough to be called for'),
    after: span.optional().describe('How long it takes until they answer'),
  })
  .superRefine(({ asks, answer }, context) => {
    if (fitting[asks].includes(answer)) return
    context.addIssue({ code: 'custom', path: ['answer'], message: `a question of the kind ${asks} takes ${fitting[asks].join(' or ')}` })
  })

type AnswerWord = 'go' | 'retry' | 'done' | 'skip' | 'stop' | 'accept'

/** What can be answered to which question. */
export const fitting: Readonly<Record<(typeof questionKinds)[number], readonly AnswerWord[]>> = {
  gate: ['go', 'stop'],
  manual: ['done', 'stop'],
  failure: ['retry', 'done', 'skip', 'stop', 'accept'],
  surprise: ['go', 'stop'],
}

export const operatorSchema = z.strictObject({
  present: z.boolean().default(true).describe('False: nobody is at the terminal, and commands are typed with `--yes --no-input`'),
  does: z.array(actSchema).default([]).describe('One after the other, each when the one before is over'),
  answers: z
    .array(answerSchema)
    .default([])
    .describe('For each step and kind of question, taken in their order. Without one, gates are passed, manual steps done, and failures and surprises stop the run'),
})

export type ScriptedAnswer = z.output<typeof answerSchema>
