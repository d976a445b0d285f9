import { describe, expect, it } from 'vitest'
import { exit, exitOfSignal } from '../../src/cli/exit.js'
import { lifeboatHere } from '../helpers/cli-here.js'

async function helpOf(...command: readonly string[]): Promise<{ text: string; examples: readonly string[] }> {
  const { code, stdout } = await lifeboatHere([...command, '--help'])
  expect(code).toBe(0)
  const [before = ''] = stdout.split('\nUsage: ')
  return { text: stdout, examples: before.split('\n').flatMap((line) => /^ +(?:source <\()?lifeboat ([^)>#]*)/.exec(line)?.[1] ?? []) }
}

const whole = await helpOf()
// `help` is commander's own.
const commands = [...whole.text.matchAll(/^ {2}([a-z]+) +(?:\[|<)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help')

describe('help', () => {
  it('begins with examples, of commands that there are', () => {
    expect(commands).toContain('rehearse')
    expect(whole.text).toMatch(/^Examples:\n/)
    expect(whole.examples.filter((example) => !commands.includes(example.split(' ')[0] ?? ''))).toEqual([])
  })

  it.each(commands)('of %s begins with examples of it, with options that it has', async (name) => {
    const { text, examples } = await helpOf(name)
    expect(text).toMatch(/^Examples:\n/)
    expect(examples).not.toEqual([])
    const [, options = ''] = text.split('\nOptions:\n')
    for (const example of examples) {
      expect(example.split(' ')[0]).toBe(name)
      expect(example.match(/--[a-z-]+/g)?.filter((flag) => !options.includes(flag)) ?? []).toEqual([])
    }
  })

  it.each([[], ...commands.map((name) => [name])])('fits a window of 80 columns: %s', async (...command) => {
    const { text } = await helpOf(...command)
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it.each([['nosuch', '--help'], ['help', 'nosuch'], ['nosuch'], ['--help', 'nosuch']])('of a command that there is not names it and those that there are: %s %s', async (...args) => {
    const { code, stdout, stderr } = await lifeboatHere(args)
    expect([code, stdout]).toEqual([exit.usage, ''])
    expect(stderr).toMatch(/^error: unknown command "nosuch"\nCommands: "run", /)
    expect(stderr).not.toContain('"complete"')
  })

  it.each([['statsu', '--help'], ['help', 'statsu'], ['statsu']])('suggests the near one, and never runs it: %s %s', async (...args) => {
    const { code, stdout, stderr } = await lifeboatHere(args)
    expect([code, stdout, stderr]).toEqual([exit.usage, '', 'error: unknown command "statsu"\nDid you mean "status"?\n'])
  })

  it('tells every exit code', () => {
    const [, told = ''] = whole.text.split('Exit codes: ')
    const codes = [...Object.values(exit), ...['SIGINT', 'SIGTERM', 'SIGHUP'].map(exitOfSignal)]
    expect(codes.filter((code) => !new RegExp(`\\b${code}\\b`).test(told))).toEqual([])
  })
})

it('validate counts steps as the view of their run does: gates and what is done by hand stand beside them', async () => {
  const { stderr } = await lifeboatHere(['validate', 'runbooks/minimal.yaml'])
  expect(stderr).toMatch(/: minimal, \d+ steps, 1 gate, 1 manual step, is in order\n/)
})
