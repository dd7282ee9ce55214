import { Icon } from "./icon.tsx";

interface Props {
  /** The connection to the server is lost. */
  readonly lost: boolean;
  readonly problem: string | undefined;
  readonly onDismiss: () => void;
}

/** What went wrong, over the page's lower edge, so that nothing moves. */
export function Toast({ lost, problem, onDismiss }: Props) {
  return (
    <div class="toasts">
      {lost && (
        <p class="toast" id="lost" role="alert">
          <Icon name="warning" />
          <span>The connection to the server is lost. Trying again ...</span>
        </p>
      )}
      {problem !== undefined && (
        <div class="toast" role="alert">
          <Icon name="error" />
          <span>{problem}</span>
          <button type="button" class="plain" aria-label="Dismiss" onClick={onDismiss}>
            <Icon name="close" />
          </button>
        </div>
      )}
    </div>
  );
}
