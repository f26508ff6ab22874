"""Commands, and packages with commands that are no task. Imports no TensorFlow."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.recurrent_settings import Settings
from tasks.errors import UserError


@dataclass(frozen=True)
class Command:
    """A command.

    Attributes:
        function: "module:function"; imported when the command is run, since it imports TensorFlow.
        arguments: The class of its arguments; for `train` that of the settings.
    """

    function: str
    arguments: type[Settings]


@dataclass(frozen=True)
class CommandGroup:
    """A package with commands that trains no network of Keras, and so is no `Task`.

    Attributes:
        name: The name of the package below `tasks`, also stored in the settings of its runs.
        settings_class: Settings of `train`.
        commands: The commands by name. `train` is called with settings, folder, overwrite and processes, and returns
            the run; the others are called with their arguments.
        short_forms: Options of `train` without a value -> the option that they stand for, and its value.
    """

    name: str
    settings_class: type[Settings]
    commands: Mapping[str, Command]
    short_forms: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def written_out(self, argv: list[str]) -> list[str]:
        """Return arguments of `train` with every short form written out.

        Raises:
            UserError: If two of them, or a short form and its option, are given.
        """
        given = [(word, self.short_forms.get(word, (word.partition("=")[0],))[0]) for word in argv]
        for word, option in given:
            others = [other for other, of in given if of == option and other != word]
            if word in self.short_forms and others:
                raise UserError(f"{word} and {others[0]} both set {option}; give one of them")
        return [part for word in argv for part in self.short_forms.get(word, (word,))]
