/** Those of `runs` that `wanted` may have meant, by their ids or by the runbook's name in them; nearest first, at most three. */
export function nearRuns(wanted: string, runs: readonly string[]): readonly string[] {
  return runs
    .map((run) => ({ run, far: run.includes(wanted) ? 0 : Math.min(editDistance(wanted, run), editDistance(wanted, runbookIn(run))) }))
    .filter(({ far }) => far <= Math.max(2, Math.floor(wanted.length / 4)))
    .sort((a, b) => a.far - b.far)
    .slice(0, 3)
    .map(({ run }) => run)
}

function runbookIn(run: string): string {
  return run.replace(/^\d{8}-\d{6}-(.+)-[^-]+$/, '$1')
}

/** Levenshtein distance: how many characters to insert, delete or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [row, left] of a.split('').entries()) {
    const current = [row + 1]
    for (const [column, right] of b.split('').entries()) {
      const replaced = (previous[column] ?? 0) + (left === right ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
