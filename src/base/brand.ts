declare const brand: unique symbol;

/** `Base` made distinct from every other `Base` by `Name`; erased at run time. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
