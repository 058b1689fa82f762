/** `-dK`: the keywords, listed from the tables. */

/** @param classes comma-separated, as `-dK` has them; '' and `help` list the classes. */
export declare function dumpKeywords(classes: string): string;
