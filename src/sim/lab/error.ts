/** The lab cannot be, or one of its machines is not what it should be: what is missing, in words for a person. */
export class LabError extends Error {}
