import { useEffect, useState } from "preact/hooks";

const PATIENCE_MS = 4000;

interface Props {
  readonly label: string;
  readonly question: string;
  readonly onConfirm: () => void;
}

/** Acts on the second press only; the question goes away by itself. */
export function ConfirmButton({ label, question, onConfirm }: Props) {
  const [asking, setAsking] = useState(false);
  useEffect(() => {
    if (!asking) return;
    const timer = setTimeout(() => setAsking(false), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, [asking]);
  const press = (): void => {
    setAsking(!asking);
    if (asking) onConfirm();
  };
  return (
    <button
      type="button"
      class={`danger${asking ? " asking" : ""}`}
      aria-live="polite"
      onClick={press}
    >
      {asking ? question : label}
    </button>
  );
}
