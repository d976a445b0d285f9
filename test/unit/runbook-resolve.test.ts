import { describe, expect, it } from 'vitest'
import { LifeboatError, Pending, type JsonObject } from '../../src/contract/index.js'
import { resolveInputs, type Scope } from '../../src/runbook/index.js'
import { preamble, sampleRunbook, sampleSchemas, stepOf } from '../helpers/runbook-samples.js'

function resolved(uses: string, inputs: string, scope: Partial<Scope> = {}, vars = ''): Record<string, unknown> {
  const runbook = sampleRunbook(`${preamble}vars: { ${vars} }
steps:
  - { id: one, uses: cloud/server, with: { group: x } }
  - { id: two, uses: cloud/server, with: { group: x } }
  - id: last
    uses: ${uses}
    with: ${inputs}
`)
  const full: Scope = { env: () => undefined, outputs: () => undefined, ...scope }
  const schema = sampleSchemas.get(uses)
  if (schema === undefined) throw new Error(uses)
  return resolveInputs(stepOf(runbook, 'last'), runbook, full, schema)
}

const outputs = (of: Record<string, JsonObject>): Partial<Scope> => ({ outputs: (step) => of[step] })

describe('inputs', () => {
  it('keep the type of an expression that is the whole scalar', () => {
    const inputs = resolved('cloud/disks', '{ disks: "${{ vars.disks }}" }', {}, 'lun: 3, disks: [{ name: a, lun: "${{ vars.lun }}" }]')
    expect(inputs).toEqual({ disks: [{ name: 'a', lun: 3 }] })
  })

  it('make text of expressions inside text', () => {
    const inputs = resolved('cloud/group', '{ name: "${{ vars.n }}-${{ azure.location }}-${{ env.X }}-${{ vars.yes }}" }', { env: (name) => `<${name}>` }, 'n: 7, yes: true')
    expect(inputs).toEqual({ name: '7-westus2-<X>-true' })
  })

  it('leave $${{ as the text ${{ that it stands for', () => {
    expect(resolved('cloud/group', '{ name: "$${{ vars.n }} and $$${{ x" }')).toEqual({ name: '${{ vars.n }} and $${{ x' })
  })

  it('take the outputs of steps that are done', () => {
    const done = outputs({ one: { id: 'i', disks: [{ name: 'd', lun: 1 }] } })
    expect(resolved('cloud/disks', '{ disks: "${{ steps.one.outputs.disks }}" }', done)).toEqual({ disks: [{ name: 'd', lun: 1 }] })
    expect(resolved('cloud/group', '{ name: "${{ steps.one.outputs.disks[0].name }}" }', done)).toEqual({ name: 'd' })
  })

  it('are pending as a whole while any part waits, and name all steps', () => {
    const values = '{ chart: c, values: { a: 1, b: ["${{ steps.two.outputs.id }}", "${{ steps.one.outputs.id }}", "x${{ steps.two.outputs.id }}"] } }'
    expect(resolved('cloud/release', values)).toEqual({ chart: '/books/c', values: new Pending(['one', 'two']) })
    expect(resolved('cloud/release', values, outputs({ one: { id: 'i' } }))).toMatchObject({ values: new Pending(['two']) })
    expect(resolved('cloud/release', values, outputs({ one: { id: 'i' }, two: { id: 'j' } }))).toMatchObject({ values: { a: 1, b: ['j', 'i', 'xj'] } })
  })

  it('that are files become absolute, from the folder of the runbook', () => {
    const inputs = resolved('cloud/release', '{ chart: ../charts/hub, valueFiles: [a.yaml, "${{ env.MORE }}"] }', { env: () => '/etc/more.yaml' })
    expect(inputs).toEqual({ chart: '/charts/hub', valueFiles: ['/books/a.yaml', '/etc/more.yaml'] })
    expect(resolved('cloud/server', '{ group: ../no/file, sshKey: key }')).toEqual({ group: '../no/file', sshKey: '/books/key' })
  })

  it('name the variable that is not set and how to set it, even while others are pending', () => {
    const run = (): unknown => resolved('cloud/group', '{ name: "${{ steps.one.outputs.id }} ${{ env.SECRET_PLACE }}" }')
    expect(run).toThrow(LifeboatError)
    expect(run).toThrow(expect.objectContaining({
      code: 'runbook.env-missing',
      blame: 'user',
      message: 'SECRET_PLACE is not set, and the runbook takes it',
      hint: expect.stringContaining('export SECRET_PLACE=') as unknown,
    }))
  })

  it('refuse an output that the step declared and did not give', () => {
    const run = (): unknown => resolved('cloud/group', '{ name: "${{ steps.one.outputs.seen }}" }', outputs({ one: { id: 'i' } }))
    expect(run).toThrow(expect.objectContaining({ code: 'runbook.unresolved', message: expect.stringContaining('steps.one.outputs.seen') as unknown }))
  })

  it('are not fooled by names that objects inherit', () => {
    expect(resolved('cloud/release', '{ chart: c, values: { __proto__: { polluted: true } } }')['values']).toEqual(
      Object.fromEntries([['__proto__', { polluted: true }]]),
    )
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})
