import { totalmem } from 'node:os'
import { defineConfig } from 'vitest/config'
import LongestFirst from './test/helpers/longest-first.js'

const seconds = 1000

/**
 * The projects of design §10. Those that start processes (the real CLI, a world, helm, ssh) run after the quick ones,
 * three files at a time, since a test machine has two cores and much of what they do is waiting for the world's clock; and in
 * one queue, so that none waits for the last of another project.
 * `CRASH=all` makes the crash project kill at more points and go back from more, `CRASH=exhaustive` does so at all there are
 * (with the real CLI, at a hundred);
 * `SITES=all` fails the other shipped runbooks over as data100 is; `SIMULATE=all` plays many seeds, not a few, tries the oracle, and plays
 * game days for real; `LAB=sample` leaves out of the lab what CI has no time for.
 */
export default defineConfig({
  test: {
    sequence: { shuffle: true, sequencer: LongestFirst },
    // No test asserts a time: this only ends one that hangs, on a machine that is busy with others.
    testTimeout: 60 * seconds,
    // Files share a worker's modules: loading zod, the SDKs and the world for each anew took a fifth of all the time. No test
    // mocks a module or leaves anything in one; the order is another each time, and would show it.
    isolate: false,
    globalSetup: ['test/helpers/suite.ts'],
    setupFiles: ['test/helpers/watch-processes.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'golden',
          include: ['test/golden/**/*.test.ts'],
          sequence: { groupOrder: 0 },
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'sim',
          include: ['test/sim/**/*.test.ts'],
          exclude: process.env['SITES'] === 'all' ? [] : ['test/sim/{sites,attach-first}.test.ts'],
          globalSetup: ['test/helpers/build.ts'],
          sequence: { groupOrder: 1 },
          pool: 'forks',
          maxWorkers: 3,
          testTimeout: 600 * seconds,
          hookTimeout: 120 * seconds,
        },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: process.env['LAB'] === 'sample' ? ['test/lab/{storage,silent,killed}.test.ts'] : ['test/lab/**/*.test.ts'],
          globalSetup: ['test/helpers/lab-image.ts'],
          sequence: { groupOrder: 3 },
          pool: 'forks',
          // Each file has two machines of its own, of which one at a time has much to do, and which take some gigabytes.
          maxWorkers: totalmem() > 12 * 1024 ** 3 ? 2 : 1,
          testTimeout: 1200 * seconds,
          hookTimeout: 1200 * seconds,
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: ['test/simulation/**/*.test.ts'],
          globalSetup: ['test/helpers/build.ts'],
          sequence: { groupOrder: 1 },
          pool: 'forks',
          maxWorkers: 3,
          testTimeout: 600 * seconds,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: [['all', 'exhaustive'].includes(process.env['CRASH'] ?? '') ? 'test/crash/**/*.test.ts' : 'test/crash/{points,way-back}.test.ts'],
          globalSetup: ['test/helpers/build.ts'],
          sequence: { groupOrder: 1 },
          pool: 'forks',
          maxWorkers: 3,
          testTimeout: 600 * seconds,
          hookTimeout: 120 * seconds,
        },
      },
    ],
  },
})
