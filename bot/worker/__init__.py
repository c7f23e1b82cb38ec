"""The worker: claims a due request, runs the effect that `plan` names, absorbs what came back."""
