/** Lines in which a command says that it has met a defect of its own. It ends as a stop does then, and is none. */
export function defectsIn(said: string): readonly string[] {
  return said.split('\n').filter((line) => line.includes('[tool.bug]')).map((line) => line.trim())
}
