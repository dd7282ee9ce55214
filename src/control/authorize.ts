/** Whether the holder of `token` may publish `name`; throws `Failure` `unauthorized` or `forbidden`. */
export type AuthorizePublish = (name: string, token: string | undefined) => void | Promise<void>;
