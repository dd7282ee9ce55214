import { useState } from "preact/hooks";

interface Props {
  /** A token was presented and refused. */
  readonly refused: boolean;
  readonly onToken: (token: string) => void;
}

/** Asks for the token of the REST interface. */
export function TokenForm({ refused, onToken }: Props) {
  const [token, setToken] = useState("");
  const submit = (event: Event): void => {
    event.preventDefault();
    if (token !== "") onToken(token);
  };
  return (
    <section class="panel token" aria-labelledby="tokenTitle">
      <h2 id="tokenTitle">This server asks for a token</h2>
      <p>
        It is set in the server's properties file. This tab keeps it until it is closed; it is sent
        to this server only.
      </p>
      <form class="row" onSubmit={submit}>
        <label class="field">
          <span>API token</span>
          <input
            id="token"
            type="password"
            value={token}
            autocomplete="current-password"
            aria-invalid={refused}
            aria-describedby="tokenStatus"
            onInput={(e) => setToken(e.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          Enter
        </button>
      </form>
      <p id="tokenStatus" class="status failed" role="alert">
        {refused ? "The server did not accept this token." : ""}
      </p>
    </section>
  );
}
