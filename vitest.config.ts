import { defineConfig } from 'vitest/config'

const seconds = 1000

/**
 * The projects of design §10. Those that start processes (the real CLI, a world, helm, ssh) run after the quick ones, two
 * files at a time, since a test machine has two cores. `CRASH=all` makes the crash project stop at every point, not a sample.
 */
export default defineConfig({
  test: {
    sequence: { shuffle: true },
    // No test asserts a time: this only ends one that hangs, on a machine that is busy with others.
    testTimeout: 60 * seconds,
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
          globalSetup: ['test/helpers/build.ts'],
          sequence: { groupOrder: 1 },
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 180 * seconds,
          hookTimeout: 60 * seconds,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          globalSetup: ['test/helpers/build.ts'],
          sequence: { groupOrder: 2 },
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 300 * seconds,
          hookTimeout: 60 * seconds,
        },
      },
    ],
  },
})
