export const placeKinds = ['group', 'cluster', 'machine', 'zone'] as const

/** Where a plan is at work: said before anything else, so that nobody acts in the wrong place. */
export interface Place {
  readonly kind: (typeof placeKinds)[number]
  readonly name: string
  /** The group it is in; undefined for a group, and for what is not made yet. */
  readonly group?: string
  /** True if this plan makes it. */
  readonly made: boolean
}
