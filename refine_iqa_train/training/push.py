"""Pushing a trained model: one commit with the model, its processor and its card."""

from distortlab.core.errors import UserError
from refine_iqa_train.config.controls import check_not_pushed
from refine_iqa_train.config.schema import Config

__all__ = ["push"]

NOT_PUSHED = [
    *("checkpoint-*/*", "samples/*", "runs/*", "completions/*", "base/*", "ref/*"),
    *("curves.html", "run.json", "*.tmp"),
]
"""What stays on this machine."""


def push(config: Config) -> None:
    """Push `out` to the repository `hub.id`, in one commit; without an `id` do nothing.

    Raises
    ------
    UserError
        Where it cannot be pushed, or is that of a control; what is on disk stays.
    """
    if config.hub.id is None:
        return
    check_not_pushed(config)
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    api = HfApi()
    try:
        api.create_repo(config.hub.id, private=config.hub.private, exist_ok=True)
        api.upload_folder(
            repo_id=config.hub.id,
            folder_path=config.out,
            ignore_patterns=NOT_PUSHED,
            commit_message="Model trained with refine_iqa_train",
        )
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        raise UserError(
            f"{config.hub.id} could not be pushed: {' '.join(str(error).split())}. The model is in {config.out}; "
            f"hf auth login, then: hf upload {config.hub.id} {config.out}"
        ) from error
