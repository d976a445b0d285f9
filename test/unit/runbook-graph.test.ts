import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dependents, gatesBefore, needsOf } from '../../src/runbook/index.js'
import { ordered } from '../../src/runbook/graph.js'
import { distance, nearest } from '../../src/runbook/near.js'
import { sampleRunbook, withSteps } from '../helpers/runbook-samples.js'

const diamond = sampleRunbook(withSteps(`  - { id: a, uses: cloud/group, with: { name: x } }
  - { id: go, uses: gate, needs: [a], with: { ask: Go? } }
  - { id: hands, uses: manual, needs: [a], with: { checklist: [Look] } }
  - { id: left, uses: cloud/group, needs: [go], with: { name: x } }
  - { id: right, uses: cloud/group, needs: [hands], with: { name: x } }
  - { id: end, uses: cloud/group, needs: [left, right], with: { name: x } }
  - { id: apart, uses: cloud/group, with: { name: x } }
`))

describe('the graph', () => {
  it('knows what must be done before a step and what waits for it', () => {
    expect([...needsOf(diamond, 'end')].sort()).toEqual(['a', 'go', 'hands', 'left', 'right'])
    expect([...dependents(diamond, 'hands')].sort()).toEqual(['end', 'right'])
    expect(dependents(diamond, 'apart').size + needsOf(diamond, 'apart').size).toBe(0)
  })

  it('knows the gates before a step; a manual step is none', () => {
    expect(gatesBefore(diamond, 'end')).toEqual(['go'])
    expect(gatesBefore(diamond, 'right')).toEqual([])
  })

  const graphs = fc
    .array(fc.array(fc.nat(19), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
    .map((all) => new Map(all.map((needs, id) => [String(id), needs.filter((need) => need < all.length).map(String)])))

  it('is ordered so that needs come first, or its cycles are real ones', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const result = ordered(edges)
        if ('order' in result) {
          expect([...result.order].sort()).toEqual([...edges.keys()].sort())
          const place = new Map(result.order.map((id, index) => [id, index]))
          for (const [id, needs] of edges) for (const need of needs) expect(place.get(need)).toBeLessThan(place.get(id)!)
          return
        }
        for (const cycle of result.cycles) {
          expect(cycle[0]).toBe(cycle.at(-1))
          for (const [index, id] of cycle.slice(0, -1).entries()) expect(edges.get(id)).toContain(cycle[index + 1])
        }
        expect(result.cycles.length).toBeGreaterThan(0)
      }),
    )
  })

  it('keeps an order that is right already', () => {
    fc.assert(
      fc.property(graphs, (edges) => {
        const forward = new Map([...edges].map(([id, needs]) => [id, needs.filter((need) => Number(need) < Number(id))]))
        expect(ordered(forward)).toEqual({ order: [...forward.keys()] })
      }),
    )
  })
})

describe('near names', () => {
  it.each([
    ['adress', 'address'],
    ['clutser', 'cluster'],
    ['Name', 'name'],
    ['azure/aks-clustre', 'azure/aks-cluster'],
    ['completely', undefined],
  ])('for %s', (word, near) => {
    expect(nearest(word, ['name', 'address', 'cluster', 'azure/aks-cluster'])).toBe(near)
  })

  it('are as far apart one way as the other, and never further than the longer word', () => {
    const word = fc.string({ maxLength: 12 })
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(distance(a, b)).toBe(distance(b, a))
        expect(distance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance(a, b) === 0).toBe(a === b)
      }),
    )
  })
})
