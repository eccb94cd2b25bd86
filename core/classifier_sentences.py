"""What the command line says of models and of tables of texts: code → what is wrong, what helps."""

CLASSIFIER_SENTENCES: dict[str, tuple[str, str]] = {
    "table_unreadable": ("{file} cannot be read: {why}.", "name a CSV file with a line of heads"),
    "table_unwritable": ("{file} cannot be written: {why}.", "name a file in a folder that you may write to"),
    "table_encoding": ("{file} is neither UTF-8 nor GB18030.", "save it as CSV UTF-8 and try again"),
    "table_empty": ("{file} holds no rows.", "its first line names the columns, each further line is a text"),
    "table_column": (
        "{file} has no column {column}.",
        "its columns are: {known}; name yours with --text-columns, --label-column, --group-column",
    ),
    "text_columns": (
        '"{given}" does not name the text columns.',
        "name the title and the detail, as in --text-columns title,detail; or one column",
    ),
    "precision_range": ("{given} is not a precision.", "a share between 0.5 and 0.999, such as 0.98"),
    "folds_range": ("{given} is not a number of folds.", "2 to 20, such as --folds 5"),
    "levels_width": (
        "{given} digits cannot be a level.",
        "0 (no levels by digits) to 9, such as --level-digits 2",
    ),
    "train_too_few": (
        "{found} usable texts are too few to train with.",
        "at least {least}; a city's own model wants some hundred",
    ),
    "train_one_label": (
        'Every text has the label "{label}": there is nothing to tell apart.',
        "add texts of other labels, or name another column with --label-column",
    ),
    "evaluate_what": (
        "Nothing says what to evaluate.",
        "name a model (--model DIR), or have models trained on parts of the file (--folds 5)",
    ),
    "evaluate_nothing": ("{file} holds no usable text with a label.", "see the rows told above"),
    "model_missing": ("{folder} holds no whole model: {part}: {why}.", "train one: python3 hotline.py train"),
    "model_tampered": (
        "The model in {folder} was changed after it was made ({part}); it is refused.",
        "copy the folder anew from where it was trained, or train again",
    ),
    "model_unreadable": ("The model in {folder} cannot be read ({part}).", "train again with this release"),
    "model_tokenizer": (
        "The model in {folder} was made for {found}; here is {wanted}.",
        "train again with this release",
    ),
    "model_unwritable": (
        "The model cannot be written to {folder}: {why}.",
        "name a folder that you may write to",
    ),
    "model_folder_foreign": (
        "{folder} holds something that is no model; it stays as it is.",
        "name a new or an empty folder",
    ),
}
