import type { Node } from '../runbook/index.js'

/**
 * The pipeline: one task a node, all started at once; a task waits for its needs by itself, since the graph is not a list.
 * The screen is drawn from run events and the outcome is read from the journal (design §5), so the Listr is silent, keeps
 * going when a task rejects, and leaves signals and rollback alone.
 */
export async function runPipeline(nodes: readonly Node[], visit: (node: Node) => Promise<void>): Promise<void> {
  // Loaded when something runs: commands that only read do without it.
  const { Listr } = await import('listr2')
  const tasks = nodes.map((node) => ({ title: node.id, task: () => visit(node) }))
  await new Listr(tasks, {
    concurrent: true,
    exitOnError: false,
    registerSignalListeners: false,
    renderer: 'silent',
  }).run()
}
