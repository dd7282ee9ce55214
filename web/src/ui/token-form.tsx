import { useEffect, useState } from "preact/hooks";
import { storePassword, storeToken } from "../server/token.ts";
import { focusOn } from "./focus.ts";

interface Props {
  readonly ways: readonly ("basic" | "bearer")[];
  /** Credentials were presented and refused. */
  readonly refused: boolean;
  readonly onEntered: () => void;
}

interface SecretProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly refused: boolean;
  readonly onInput: (value: string) => void;
}

function SecretField({ id, label, value, refused, onInput }: SecretProps) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        id={id}
        type="password"
        value={value}
        required
        autocomplete="current-password"
        aria-invalid={refused}
        aria-describedby="tokenStatus"
        onInput={(e) => onInput(e.currentTarget.value)}
      />
    </label>
  );
}

/** Asks for what opens the REST interface: a token, or a name and password. */
export function TokenForm({ ways, refused, onEntered }: Props) {
  const [way, setWay] = useState(ways.includes("bearer") || ways.length === 0 ? "bearer" : "basic");
  const [user, setUser] = useState("");
  const [secret, setSecret] = useState("");
  const byToken = way === "bearer";
  useEffect(() => focusOn(byToken ? "token" : "user"), [byToken]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (byToken) storeToken(secret);
    else storePassword(user, secret);
    onEntered();
  };
  return (
    <main class="panel token">
      <h2>This server is locked</h2>
      <p>
        {byToken ? "Enter its token. " : "Enter name and password. "}
        This tab keeps {byToken ? "it" : "them"} until it is closed.
      </p>
      <form class="row" onSubmit={submit}>
        {!byToken && (
          <label class="field">
            <span>Name</span>
            <input
              id="user"
              value={user}
              required
              autocomplete="username"
              onInput={(e) => setUser(e.currentTarget.value)}
            />
          </label>
        )}
        <SecretField
          id="token"
          label={byToken ? "Token" : "Password"}
          value={secret}
          refused={refused}
          onInput={setSecret}
        />
        <button type="submit" class="primary">
          Unlock
        </button>
      </form>
      <p id="tokenStatus" class="status failed" role="alert">
        {refused ? `The server did not accept ${byToken ? "this token" : "them"}.` : ""}
      </p>
      {ways.length > 1 && (
        <button
          type="button"
          class="link-button"
          onClick={() => setWay(byToken ? "basic" : "bearer")}
        >
          {byToken ? "Use a name and password" : "Use a token"}
        </button>
      )}
    </main>
  );
}
