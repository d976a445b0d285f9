/** The greatest that is another one than all smaller ones: chance has 32 bits. Apart, for the command line loads no schemas. */
export const mostSeed = 2 ** 32 - 1
